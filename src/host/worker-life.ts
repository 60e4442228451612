/** What every host gives: one life of a worker, from the outside. */
import type { Failure, ItemOrigin } from '../observe/failure.ts'

export interface WorkerEnd {
  /** 'done': it wrote its DONE mark. 'died': it ended without. */
  how: 'done' | 'died'
  /** Why it died, if it did: not told through `OnFailure`, because it may be restarted. */
  death?: Failure
}

/**
 * Called as soon as a failure is known: the worker may still take its time to end.
 * @param isItem an item failed, and the stage goes on
 * @param origins the items of sources that failed with it: of a batch, all
 */
export type OnFailure = (failure: Failure, isItem: boolean, origins?: readonly ItemOrigin[]) => void

/** Starter -> worker. */
export type ToWorker =
  | { millrace: 'start' }
  /** For a source that wants to know: something failed somewhere, and which of its items did with it. */
  | { millrace: 'item failure'; failure: Failure; items: readonly number[] }

export interface WorkerLife {
  /** The thread it runs in; it stays the same when the thread has ended. */
  readonly threadId: number
  /** Resolves when everything is opened, or when the worker has ended. */
  readonly ready: Promise<void>
  /** Resolves when the worker is gone. Never rejects. */
  readonly ended: Promise<WorkerEnd>
  /** Opens the gate: the worker begins. */
  triggerStart(): void
  tell(message: ToWorker): void
  /** Ends it the hard way, where the host can. Native code may not let it. */
  triggerTerminate(): void
}
