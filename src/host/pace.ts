/**
 * Whether a worker that has nothing to do is in a stream of items: then it dozes before it sleeps, and is not woken for every
 * few of them. See doorbell.ts.
 */
import type { WorkerTask } from './worker-task.ts'

/** So many items since the last wait make a stream. */
const STREAMING_ITEMS = 4
/** So does a last wait that was no longer, if those who write to the worker wake it before they wait themselves. */
const STREAMING_MS = 1

export class Pace {
  /** Whether all that it reads comes from workers, which say when they wait; a source may do so in the user's code. */
  readonly #isInside: boolean
  #items = 0
  #lastWaitMs = Number.POSITIVE_INFINITY

  constructor({ inputs }: Pick<WorkerTask, 'inputs'>) {
    this.#isInside = inputs.every(({ isFromOutside }) => !isFromOutside)
  }

  countItem(): void {
    this.#items++
  }

  /** Whether the wait that begins now is to begin with a doze. */
  beginWait(): boolean {
    const isStreaming = this.#items >= STREAMING_ITEMS || (this.#isInside && this.#lastWaitMs <= STREAMING_MS)
    this.#items = 0
    return isStreaming
  }

  endWait(waitedMs: number): void {
    this.#lastWaitMs = waitedMs
  }
}
