/** What writers in a burst hold back from a reader that is about to sleep: see lane.ts. */
import type { InputReader } from './input-reader.ts'
import { SETTLE_MS } from './lane.ts'

export class HeldBack {
  readonly #reader: InputReader
  /** What was sealed at the last look, and how long the reader had been asleep. */
  #sealed: readonly number[] | undefined
  #seenAtMs = 0

  constructor(reader: InputReader) {
    this.#reader = reader
  }

  /**
   * How long a reader that found nothing may sleep before it looks again, in milliseconds; what a busy writer has held
   * back is published on the way.
   *
   * What was sealed by a writer that had not seen the sleep announced can be seen SETTLE_MS after the announcement; who
   * has seen it holds nothing back. So if nothing is ahead then, nothing will be.
   * @param asleepMs since the sleep was announced
   */
  readonly lookAgainMs = (asleepMs: number): number => {
    const now = this.#reader.sealed
    const before = asleepMs < this.#seenAtMs ? undefined : this.#sealed
    if (now === undefined) return this.#leaveIt()
    if (before === undefined) return this.#lookLater(now, asleepMs)
    if (asleepMs - this.#seenAtMs < SETTLE_MS) return SETTLE_MS
    if (this.#reader.publishSealed(before)) return this.#lookLater(now, asleepMs, 0)
    return this.#reader.isBehind(now) ? this.#lookLater(now, asleepMs) : this.#leaveIt()
  }

  #lookLater(sealed: readonly number[], asleepMs: number, inMs: number = SETTLE_MS): number {
    this.#sealed = sealed
    this.#seenAtMs = asleepMs
    return inMs
  }

  #leaveIt(): number {
    this.#sealed = undefined
    this.#seenAtMs = 0
    return Number.POSITIVE_INFINITY
  }
}
