/** What waits on what: for a run that does not end. */
import { DONE, READY, RUNNING, STARTING } from '../observe/counters.ts'
import type { PipelineStage } from './stage.ts'
import type { Wiring } from './wire.ts'

const LIVES: Readonly<Record<number, string>> = {
  [STARTING]: 'starting',
  [READY]: 'ready',
  [RUNNING]: 'running',
  [DONE]: 'done',
}

/** One line per stage and queue. */
export function diagnose(wiring: Wiring, state: string): string {
  const lines = [`pipeline "${wiring.pipeline}" is ${state}, stop event at "${wiring.stop.level}"`]
  for (const [index, stage] of wiring.stages.entries()) {
    lines.push(`  stage "${stage.name}" (${stage.host}): ${stage.state}, ${describeWorker(stage)}`)
    const queue = wiring.queues[index]?.queue
    if (queue === undefined) continue
    const { memory } = queue
    const writer = memory.doorbell('producer', 0).isAsleep ? ', writer asleep' : ''
    const reader = memory.doorbell('consumer', 0).isAsleep ? ', reader asleep' : ''
    lines.push(
      `    queue: ${queue.level} of ${queue.capacity} items, ${queue.passed} passed${writer}${reader}`,
    )
  }
  return lines.join('\n')
}

function describeWorker(stage: PipelineStage): string {
  const { counters } = stage
  if (counters === undefined) return 'not connected'
  const hand = counters.inHand === 0 ? 'nothing in hand' : `item ${counters.inHand >>> 0} in hand`
  const gone = stage.hasEnded ? 'worker gone' : 'worker alive'
  return `${LIVES[counters.life]}, ${gone}, ${hand}, ${counters.settled} settled`
}
