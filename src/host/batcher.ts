/**
 * Gathers items into batches: which of them belong together, and when a batch is complete.
 *
 * It holds no items, only their tickets: the items stay in their queue until their batch has been processed.
 */

/** Items to be processed together. */
export interface Batch<K = undefined> {
  /** What the items have in common. */
  key: K
  /** In the order in which they came. */
  tickets: number[]
  /** When the first of them came. */
  sinceMs: number
}

export interface BatchLimits {
  /** A batch of so many items is complete. Default: no limit. */
  size?: number | undefined
  /** A batch holds at most so many bytes, but for one item that is larger by itself. Default: no limit. */
  bytes?: number | undefined
  /** A batch is complete so many milliseconds after its first item. Default: it waits. */
  withinMs?: number | undefined
}

/** Nothing is complete, for most items: the list is not made each time. */
const NONE: readonly never[] = []

export class Batcher<K = undefined> {
  readonly #size: number
  readonly #bytes: number
  readonly #withinMs: number
  /** Unfinished batches by key (SameValueZero: NaN is one key, 0 and -0 are the same), the oldest first. */
  readonly #open = new Map<K, { batch: Batch<K>; bytes: number }>()
  #held = 0

  constructor({ size, bytes, withinMs }: BatchLimits) {
    this.#size = size ?? Number.POSITIVE_INFINITY
    this.#bytes = bytes ?? Number.POSITIVE_INFINITY
    this.#withinMs = withinMs ?? Number.POSITIVE_INFINITY
  }

  /** Items in batches that are not complete. */
  get held(): number {
    return this.#held
  }

  /**
   * Adds an item; the batches that are complete now, the oldest first.
   *
   * There are two when the item has no place in the batch of its key and is a batch by itself.
   * @param nowMs by a clock that never goes back
   */
  add(ticket: number, bytes: number, key: K, nowMs: number): readonly Batch<K>[] {
    const before = this.#open.get(key)
    const isTooMuch = before !== undefined && before.bytes + bytes > this.#bytes
    const closed = isTooMuch ? [this.#take(before.batch)] : NONE
    const open = this.#open.get(key) ?? this.#begin(key, nowMs)
    open.batch.tickets.push(ticket)
    open.bytes += bytes
    this.#held++
    const isComplete = open.batch.tickets.length >= this.#size || open.bytes >= this.#bytes
    return isComplete ? [...closed, this.#take(open.batch)] : closed
  }

  /** Takes out the batches whose time is over, the oldest first. */
  due(nowMs: number): Batch<K>[] {
    const due: Batch<K>[] = []
    for (const { batch } of this.#open.values()) {
      // The sum that `nextDueMs` gives, not the difference: both must agree to the last bit.
      if (nowMs < batch.sinceMs + this.#withinMs) break
      due.push(batch)
    }
    for (const batch of due) this.#take(batch)
    return due
  }

  /** When the next batch is due; Infinity if none will be. */
  nextDueMs(): number {
    const oldest = this.#peek()
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.sinceMs + this.#withinMs
  }

  /** Takes out the oldest batch, complete or not: to make room when nothing more can be taken in hand. */
  oldest(): Batch<K> | undefined {
    const oldest = this.#peek()
    return oldest && this.#take(oldest)
  }

  /** Takes out all batches, complete or not, the oldest first: at the end of the stream. */
  all(): Batch<K>[] {
    const batches = [...this.#open.values()].map(({ batch }) => batch)
    for (const batch of batches) this.#take(batch)
    return batches
  }

  #begin(key: K, nowMs: number) {
    // At the end of the map, behind all that are older.
    const open = { batch: { key, tickets: [], sinceMs: nowMs } as Batch<K>, bytes: 0 }
    this.#open.set(key, open)
    return open
  }

  #peek(): Batch<K> | undefined {
    for (const { batch } of this.#open.values()) return batch
    return undefined
  }

  #take(batch: Batch<K>): Batch<K> {
    this.#open.delete(batch.key)
    this.#held -= batch.tickets.length
    return batch
  }
}
