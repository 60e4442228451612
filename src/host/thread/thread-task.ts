/** What passes between a thread and the one that started it. */
import type { Failure, ItemOrigin } from '../../observe/failure.ts'
import type { NoticeTask } from '../notice-port.ts'
import type { TypescriptRecords } from '../typescript-records.ts'
import type { LocatedTask } from '../worker-task.ts'

/** Everything a worker is told, in its `workerData`. */
export interface ThreadTask extends LocatedTask {
  /** What its thread need not compile again. */
  typescript: TypescriptRecords | undefined
  /** Where it tells what the run wants to hear of; none: nothing. */
  notices: NoticeTask | undefined
}

/** Worker -> starter. The other way: `ToWorker`. */
export type FromThread =
  | { millrace: 'ready' }
  | { millrace: 'failure'; failure: Failure; isItem: boolean; origins: readonly ItemOrigin[] }
  /** Why it is about to end without being done. */
  | { millrace: 'death'; death: Failure }
