/** How many items of a stage may fail before the run fails. */

export interface FailureWindow {
  /** Most failures within `withinMs`. */
  count: number
  /** Length of the window, in milliseconds. */
  withinMs: number
}

export class FailureBudget {
  readonly #count: number
  readonly #withinMs: number
  /** Times of the newest failures, at most `#count` of them: a ring. */
  readonly #times: number[] = []
  #failures = 0

  /** @param allowed so many failures in all, or so many within a window */
  constructor(allowed: number | FailureWindow) {
    const isWindow = typeof allowed === 'object'
    this.#count = isWindow ? allowed.count : allowed
    this.#withinMs = isWindow ? allowed.withinMs : Number.POSITIVE_INFINITY
  }

  /**
   * Notes one failure; false if it is one too many.
   * @param nowMs by a clock that never goes back
   */
  note(nowMs: number): boolean {
    this.#failures++
    if (this.#withinMs === Number.POSITIVE_INFINITY) return this.#failures <= this.#count
    if (this.#count === 0) return false
    const place = (this.#failures - 1) % this.#count
    const before = this.#times[place]
    this.#times[place] = nowMs
    return before === undefined || nowMs - before >= this.#withinMs
  }
}
