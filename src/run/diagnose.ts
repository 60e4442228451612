/** What waits on what: for a run that does not end. */
import { HELD, WORKING } from '../observe/counters.ts'
import type { SlabReport } from '../observe/report.ts'
import type { PipelineStage } from './stage.ts'
import type { StageWorker } from './stage-worker.ts'
import type { StuckItem } from './watchdog.ts'
import type { Wiring } from './wire.ts'

/** One line per stage, worker and queue. */
export function diagnose(wiring: Wiring, state: string, stuck: readonly StuckItem[]): string {
  const lines = [`pipeline "${wiring.pipeline}" is ${state}, stop event at "${wiring.stop.level}"`]
  for (const stage of wiring.stages) {
    lines.push(`  stage "${stage.name}" (${stage.host}): ${stage.state}`)
    if (stage.slabs !== undefined) lines.push(`    ${describeSlabs(stage.slabs)}`)
    for (const worker of stage.workerList) {
      if (!worker.isAbsent || worker.number === 0) lines.push(`    ${describeWorker(stage, worker)}`)
    }
  }
  for (const { from, to, branch, level, capacity, passed, dropped } of wiring.queues) {
    const name = branch === undefined ? '' : ` (branch "${branch}")`
    const lost = dropped > 0 ? `, ${dropped} dropped` : ''
    lines.push(`  queue "${from}" -> "${to}"${name}: ${level} of ${capacity} items, ${passed} passed${lost}`)
  }
  lines.push(...stuck.flatMap(describeStuck))
  return lines.join('\n')
}

function describeWorker(stage: PipelineStage, worker: StageWorker): string {
  const { counters, number, state, restarts } = worker
  const again = restarts > 0 ? `, restarted ${restarts} times` : ''
  const bell = stage.isAsleep(number) ? ', asleep' : ', awake'
  const hand = counters.hasInHand ? `item ${counters.inHand} in hand` : 'nothing in hand'
  const phase = counters.phase === WORKING ? 'working' : counters.phase === HELD ? 'held back' : 'waiting'
  const doing = state === 'running' ? `, ${phase}${bell}` : ''
  return `worker ${number}: ${state}${doing}, ${hand}, ${counters.settled} settled${again}`
}

function describeSlabs({ allocated, inUse, held, bytes, copied }: SlabReport): string {
  const without = copied > 0 ? `, ${copied} times there was none` : ''
  return `slabs: ${inUse} in use, ${held} held, ${allocated} given, ${bytes} bytes${without}`
}

function describeStuck({ stage, worker, item, sinceMs, stack }: StuckItem): string[] {
  const line = `  stuck: stage "${stage}", worker ${worker}, has had item ${item} in hand for ${sinceMs} ms`
  return stack === undefined ? [line] : [line, ...stack.split('\n').map((frame) => `    ${frame.trim()}`)]
}
