/**
 * How many items a worker in a stream publishes and gives back at once: see queue/lane.ts.
 *
 * As many as take no longer than an item may wait unseen. It begins with one, so a stage whose items take long is as prompt as
 * it can be, and so is one that has just begun. One clock reading per burst.
 */

/** A burst that took less is made longer. */
const SHORT_MS = 0.01
/** A burst that took more is made shorter. */
const LONG_MS = 0.03
/** One that took more ends the stream: something in it was slow. */
const TOO_LONG_MS = 0.1
const MOST_ITEMS = 32
/** So many bursts fit a queue. */
const BURSTS_PER_QUEUE = 8

export class Burst {
  /** Items that are settled at once now. */
  limit = 1
  readonly #most: number
  #count = 0
  #since = 0

  /** @param capacity of the smaller of its queues; 0: it does not hold anything back */
  constructor(capacity: number) {
    this.#most = Math.max(1, Math.min(MOST_ITEMS, Math.floor(capacity / BURSTS_PER_QUEUE)))
  }

  /** Counts an item that is settled; whether the burst ends with it. */
  isOver(): boolean {
    return ++this.#count >= this.limit
  }

  /** Finds the length of the next burst. */
  adapt(): void {
    this.#count = 0
    if (this.#most === 1) return
    const now = performance.now()
    const tookMs = now - this.#since
    this.#since = now
    if (tookMs > TOO_LONG_MS) this.limit = 1
    else if (tookMs > LONG_MS) this.limit = Math.max(1, this.limit >> 1)
    else if (tookMs < SHORT_MS) this.limit = Math.min(this.#most, this.limit * 2)
  }

  /** After a wait, which is none of the items' time. */
  restart(): void {
    this.#count = 0
    this.#since = performance.now()
  }

  /** From now on each item by itself, until the bursts prove short again. */
  stop(): void {
    this.#count = 0
    this.limit = 1
  }
}
