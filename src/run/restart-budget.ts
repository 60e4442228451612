/** Whether, and when, a worker that died may be started again. */
import { backOffMs } from '../host/retry.ts'

export interface RestartOptions {
  /** Most restarts within `withinMs`; may be Infinity. */
  limit: number
  /** Length of the window, in milliseconds; also the quiet time after which the back-off starts anew. */
  withinMs: number
  /** Delay before the first restart, in milliseconds. */
  delayMs: number
  /** Each delay is so many times the one before. */
  factor: number
  /** Longest delay, in milliseconds. */
  maxDelayMs: number
}

export class RestartBudget {
  readonly #options: RestartOptions
  /** Times of the restarts within the window; empty if there is no limit. */
  #restarts: number[] = []
  /** Restarts since the last quiet time. */
  #streak = 0
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(options: RestartOptions) {
    this.#options = options
  }

  /**
   * Books the next restart: the delay before it, in milliseconds; undefined if there were too many of late.
   *
   * A restart counts from when it happens, after its delay: or delays longer than the window would make any limit void.
   * @param nowMs when the worker died, by a clock that never goes back
   */
  next(nowMs: number): number | undefined {
    const { limit, withinMs } = this.#options
    const isRecent = (atMs: number): boolean => nowMs - atMs < withinMs
    this.#restarts = this.#restarts.filter(isRecent)
    if (this.#restarts.length >= limit) return undefined
    if (!isRecent(this.#lastMs)) this.#streak = 0
    this.#streak++
    const delayMs = backOffMs(this.#options, this.#streak)
    this.#lastMs = nowMs + delayMs
    if (limit !== Number.POSITIVE_INFINITY) this.#restarts.push(this.#lastMs)
    return delayMs
  }
}
