/** What waits on what, while a run goes on: as data, and as the text made from it. */
import type { SlabReport } from './report.ts'

export interface Diagnosis {
  schema: 'millrace.diagnosis/1'
  pipeline: string
  /** State of the run. */
  state: string
  isPaused: boolean
  /** Level of the stop event. */
  stop: 'run' | 'drain' | 'abort'
  /** Empty while the pipeline is being loaded. */
  stages: StageDiagnosis[]
  queues: QueueDiagnosis[]
  /** What holds up everybody else, as sentences. */
  findings: string[]
}

export interface StageDiagnosis {
  name: string
  host: string
  state: string
  /** How its slabs stand, if it asked for any. */
  slabs?: SlabReport
  workers: WorkerDiagnosis[]
}

export interface WorkerDiagnosis {
  /** Number within the stage, from 0. */
  worker: number
  state: string
  /** Thread of its present life, or of its last; none on the loop. */
  threadId?: number
  /** 'held back': it waits for room for its output, or for leave to begin (rate limit, retry delay, pause). */
  phase: 'waiting' | 'working' | 'held back'
  bell: 'awake' | 'dozing' | 'asleep'
  /** How often it was woken, or woke by a timeout. */
  wakeUps: number
  /** Number, at its source, of the item in hand. */
  item?: number
  /** Which try of it this is, from 1. */
  attempt?: number
  /** Items in hand, with `concurrency` or batches. */
  inHand: number
  settled: number
  restarts: number
  /** What it waits for; nothing, when it works or has ended. */
  waitsFor: WaitDiagnosis[]
  /** Of an item that has been in hand for longer than `stuckAfterMs`. */
  stuck?: { item: number; sinceMs: number; stack?: string }
}

export interface WaitDiagnosis {
  /** 'start': that all stages are open. 'turn': that a smaller number comes, or cannot come any more. */
  what: 'start' | 'item' | 'turn' | 'room' | 'resume'
  /** The queue that it looks at, of an item or of room. */
  from?: string
  to?: string
  /** Who could end the wait. */
  workers: { stage: string; worker: number }[]
}

export interface QueueDiagnosis {
  from: string
  to: string
  branch?: string
  kind: 'items' | 'dead-letters'
  level: number
  capacity: number
  /** Items ever put. */
  passed: number
  dropped: number
  isClosed: boolean
  /** State of each end, by the number of its worker. */
  producers: EndState[]
  consumers: EndState[]
  /** Those that are not empty, where there are several. */
  lanes: { producer: number; consumer: number; level: number }[]
}

export type EndState = 'idle' | 'open' | 'done' | 'gone' | 'parked' | 'retiring'

/** One line for the run, each stage, worker and queue, and each finding. */
export function renderDiagnosis(diagnosis: Diagnosis): string {
  const { pipeline, state, isPaused, stop, stages, queues, findings } = diagnosis
  if (stages.length === 0) return `the run is ${state}, its pipeline is being loaded`
  const lines = [
    `pipeline "${pipeline}" is ${state}${isPaused ? ', and paused' : ''}, stop event at "${stop}"`,
  ]
  for (const stage of stages) {
    lines.push(`  stage "${stage.name}" (${stage.host}): ${stage.state}`)
    if (stage.slabs !== undefined) lines.push(`    ${describeSlabs(stage.slabs)}`)
    lines.push(...stage.workers.flatMap(describeWorker))
  }
  lines.push(...queues.map(describeQueue))
  for (const stage of stages) lines.push(...stage.workers.flatMap((worker) => describeStuck(stage, worker)))
  lines.push(...findings.map((finding) => `  => ${finding}`))
  return lines.join('\n')
}

function describeSlabs({ allocated, inUse, held, bytes, copied }: SlabReport): string {
  const without = copied > 0 ? `, ${copied} times there was none` : ''
  return `slabs: ${inUse} in use, ${held} held, ${allocated} given, ${bytes} bytes${without}`
}

function describeWorker(worker: WorkerDiagnosis): string[] {
  const { state, phase, bell, item, attempt = 1, inHand, settled, restarts, waitsFor } = worker
  const doing = state === 'running' ? `, ${phase}, ${bell}` : ''
  const tried = attempt > 1 ? ` (try ${attempt})` : ''
  const hand = item === undefined ? 'nothing in hand' : `item ${item} in hand${tried}`
  const more = inHand > 1 ? `, ${inHand} in all` : ''
  const again = restarts > 0 ? `, restarted ${restarts} times` : ''
  const waits = waitsFor.length > 0 ? `; waits for ${waitsFor.map(describeWait).join(', or ')}` : ''
  return [`    worker ${worker.worker}: ${state}${doing}, ${hand}${more}, ${settled} settled${again}${waits}`]
}

function describeWait({ what, from, to, workers }: WaitDiagnosis): string {
  const who = workers.length > 0 ? ` (${nameWorkers(workers)})` : ''
  switch (what) {
    case 'start':
      return `all stages to be open${who}`
    case 'item':
      return `an item from "${from}"${who}`
    case 'turn':
      return `the turn of what has come from "${from}"${who}`
    case 'room':
      return `room in the queue to "${to}"${who}`
    case 'resume':
      return 'the run to be resumed'
  }
}

function describeQueue(queue: QueueDiagnosis): string {
  const { from, to, branch, kind, level, capacity, passed, dropped, isClosed, lanes } = queue
  const name = branch === undefined ? '' : ` (branch "${branch}")`
  const letters = kind === 'dead-letters' ? ' (dead letters)' : ''
  const lost = dropped > 0 ? `, ${dropped} dropped` : ''
  const closed = isClosed ? ', closed' : ''
  const ends = `, ends ${queue.producers.join(' ')} -> ${queue.consumers.join(' ')}`
  const split = lanes.map(({ producer, consumer, level }) => `${producer} to ${consumer}: ${level}`)
  const inLanes = split.length > 0 ? `, lanes ${split.join(', ')}` : ''
  return `  queue "${from}" -> "${to}"${name}${letters}: ${level} of ${capacity} items, ${passed} passed${lost}${closed}${ends}${inLanes}`
}

function describeStuck({ name }: StageDiagnosis, { worker, stuck }: WorkerDiagnosis): string[] {
  if (stuck === undefined) return []
  const { item, sinceMs, stack } = stuck
  const line = `  stuck: stage "${name}", worker ${worker}, has had item ${item} in hand for ${sinceMs} ms`
  return stack === undefined ? [line] : [line, ...stack.split('\n').map((frame) => `    ${frame.trim()}`)]
}

/** `"upper" 0, "reverse" 1`. */
export function nameWorkers(workers: readonly { stage: string; worker: number }[]): string {
  return workers.map(({ stage, worker }) => `"${stage}" ${worker}`).join(', ')
}
