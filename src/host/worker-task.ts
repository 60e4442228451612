/** Everything a worker is told: plain data, so that it can travel to a thread. */
import type { PlannedStage } from '../plan/plan.ts'
import type { Ways } from '../queue/low-water.ts'
import type { QueueHandle } from '../queue/queue-memory.ts'
import type { SlabTask } from '../queue/slabs.ts'
import type { StopHandle } from '../queue/stop-event.ts'
import type { StageLocator } from './stage-locator.ts'
import type { ContextPlace } from './worker-context.ts'

/** One of the queues that the worker reads. */
export interface InputTask {
  queue: QueueHandle
  /** Its end of the queue: the number of the worker. */
  consumer: number
  /** The lanes are merged by order; the queues that lead to it, from the nearest to the numbering point's. */
  upstream: QueueHandle[] | undefined
  /** Whoever writes it may wait for the outside, without a word to its readers: a source, or the user's own code. */
  isFromOutside: boolean
  overflow: 'block' | 'drop-new' | 'drop-old'
}

/** One of the queues that the worker writes. */
export interface OutputTask {
  queue: QueueHandle
  /** Its end of the queue: the number of the worker. */
  producer: number
  /** The stage that reads it: its `by` chooses the lane. */
  to: string
  branch: string | undefined
  overflow: 'block' | 'drop-new' | 'drop-old'
  isPartitioned: boolean
}

/** What the supervisor found out about the item that the worker's last life had in hand. */
export interface Verdict {
  /** Ticket of the item. */
  ticket: number
  /** How often it was tried so far. */
  attempts: number
  /** It is not to be tried again: it has failed, for this reason. */
  fail?: { code: 'MILLRACE_POISON_ITEM' | 'MILLRACE_ITEM_TIMEOUT'; message: string }
  /** So many items are processed one at a time, to find out which of them it was. */
  alone: number
}

/** What a source needs to know which of its items are final. */
export interface LowWaterTask {
  /** All queues of the run, in topological order. */
  queues: QueueHandle[]
  /** How they follow each other, from this source on. */
  ways: Ways
  /** Most items between the oldest that is not final and the newest; undefined: no limit. */
  maxInFlight: number | undefined
}

export interface WorkerTask {
  /** Where its stage is defined. None: the definition is at hand (on the loop). */
  place: ContextPlace
  /** 1 for the first, one more after each restart. */
  life: number
  stage: PlannedStage
  inputs: InputTask[]
  outputs: OutputTask[]
  deadLetters: OutputTask | undefined
  stop: StopHandle
  /** Number, on the stop event's board, of the one bell it sleeps on. */
  bell: number
  /** Bells of the readers downstream that may wait for this worker to give an item back. */
  releaseBells: number[]
  /** Shared counters of all workers of the run. */
  counters: SharedArrayBuffer
  /** Its place in the counters. */
  index: number
  /** The shared words of its stage: see stage-control.ts. */
  control: { memory: SharedArrayBuffer; index: number }
  verdict: Verdict | undefined
  lowWater: LowWaterTask | undefined
  /** Undefined: all binaries are copied. */
  slabs: SlabTask | undefined
  /** Turns that a blocked wait may look around before it sleeps; 0 where threads outnumber the cores. */
  spins: number
}

/** Where a worker in a thread finds its stage, in addition. */
export interface LocatedTask extends WorkerTask {
  locator: StageLocator
}
