/** What passes between a thread and the one that started it. */
import type { Failure } from '../../observe/failure.ts'
import type { QueueHandle } from '../../queue/queue-memory.ts'
import type { StopHandle } from '../../queue/stop-event.ts'
import type { StageLocator } from '../stage-locator.ts'
import type { TypescriptRecords } from '../typescript-records.ts'
import type { ContextPlace } from '../worker-context.ts'

/** Everything a worker is told, in its `workerData`. */
export interface ThreadTask {
  locator: StageLocator
  place: ContextPlace
  input: QueueHandle | undefined
  output: QueueHandle | undefined
  stop: StopHandle
  counters: SharedArrayBuffer
  /** Its place in the counters. */
  index: number
  spins: number
  /** What its thread need not compile again. */
  typescript: TypescriptRecords | undefined
}

/** Worker -> starter. */
export type FromThread = { millrace: 'ready' } | { millrace: 'failure'; failure: Failure }

/** Starter -> worker. */
export type ToThread = { millrace: 'start' }
