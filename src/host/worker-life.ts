/** What every host gives: one worker's life, from the outside. */
import type { Failure } from '../observe/failure.ts'

export interface WorkerEnd {
  /** 'done': it wrote its DONE mark. 'died': it ended without. */
  how: 'done' | 'died'
  failures: Failure[]
}

/** Called as soon as a failure is known: the worker may still take its time to end. */
export type OnFailure = (failure: Failure) => void

export interface WorkerLife {
  /** The thread it runs in; it stays the same when the thread has ended. */
  readonly threadId: number
  /** Resolves when everything is opened, or when the worker has ended. */
  readonly ready: Promise<void>
  /** Resolves when the worker is gone. Never rejects. */
  readonly ended: Promise<WorkerEnd>
  /** Opens the gate: the worker begins. */
  triggerStart(): void
  /** Ends it the hard way, where the host can. Native code may not let it. */
  triggerTerminate(): void
}
