/**
 * What each worker counts of itself, in shared memory, so that it survives the worker.
 *
 * One writer: the worker; after its death, the manager. An item is settled in three steps: note what became of
 * it, give its record back (the queue's head), count it. A worker that dies between two of them leaves enough to
 * tell how far it came: see `run/account.ts`.
 */

/** What became of an item that a worker took in hand. */
export const OUT = 0
export const DROPPED = 1
export const FAILED = 2
export const ABANDONED = 3
export type Outcome = typeof OUT | typeof DROPPED | typeof FAILED | typeof ABANDONED

/** Life of a worker. It has ended well only if it wrote DONE: exit code 0 proves nothing. */
export const STARTING = 0
export const READY = 1
export const RUNNING = 2
export const DONE = 3

const STARVED_MS = 4
const BLOCKED_MS = 5
const STARTED_MS = 6
const ENDED_MS = 7
const READ = 8
const FLOATS = 16

const LIFE = 0
const IN_HAND = 1
const NOTED = 2
/** And the word after it. */
const WRITES = 3
const UNREAD = 5
const INTS = 32

/** Bytes of one worker's counters. */
export const COUNTER_BYTES = FLOATS * 8 + INTS * 4

export class WorkerCounters {
  readonly #floats: Float64Array
  readonly #ints: Int32Array

  constructor(memory: SharedArrayBuffer, index: number) {
    this.#floats = new Float64Array(memory, index * COUNTER_BYTES, FLOATS)
    this.#ints = new Int32Array(memory, index * COUNTER_BYTES + FLOATS * 8, INTS)
  }

  get life(): number {
    return Atomics.load(this.#ints, LIFE)
  }
  set life(life: number) {
    Atomics.store(this.#ints, LIFE, life)
  }

  /** The item that the worker is about to process. */
  take(seq: number): void {
    this.#ints[IN_HAND] = seq | 0
  }

  /** Before the record is given back. */
  note(outcome: Outcome): void {
    this.#ints[NOTED] = outcome
  }

  /** After the record was given back. */
  count(outcome: Outcome): void {
    this.#floats[outcome]++
    this.#ints[IN_HAND] = 0
  }

  /** Number of the item in hand, modulo 2^32; 0: none. */
  get inHand(): number {
    return this.#ints[IN_HAND]
  }

  /** Whether the worker had this item in hand. */
  hasInHand(seq: number): boolean {
    return this.#ints[IN_HAND] !== 0 && this.#ints[IN_HAND] === (seq | 0)
  }

  get noted(): Outcome {
    return this.#ints[NOTED] as Outcome
  }

  of(outcome: Outcome): number {
    return this.#floats[outcome]
  }

  /** Items settled, whatever became of them. */
  get settled(): number {
    return this.#floats[OUT] + this.#floats[DROPPED] + this.#floats[FAILED] + this.#floats[ABANDONED]
  }

  /** Items a source has read. */
  get read(): number {
    return this.#floats[READ]
  }
  countRead(): void {
    this.#floats[READ]++
  }

  /** The worker has written to stdout (1) or stderr (2). */
  noteWrite(fd: 1 | 2): void {
    this.#ints[WRITES + fd - 1]++
  }
  /** How often it has, modulo 2^32. */
  writes(fd: 1 | 2): number {
    return this.#ints[WRITES + fd - 1]
  }

  /** Whether the worker found that nobody reads stdout any more. */
  get isUnread(): boolean {
    return this.#ints[UNREAD] === 1
  }
  set isUnread(is: boolean) {
    this.#ints[UNREAD] = is ? 1 : 0
  }

  startClock(nowMs: number): void {
    this.#floats[STARTED_MS] = nowMs
  }
  stopClock(nowMs: number): void {
    this.#floats[ENDED_MS] = nowMs
  }
  addStarved(ms: number): void {
    this.#floats[STARVED_MS] += ms
  }
  addBlocked(ms: number): void {
    this.#floats[BLOCKED_MS] += ms
  }

  /** How the time since its start was spent, in milliseconds. A wait that still lasts counts as busy. */
  times(nowMs: number): { busyMs: number; starvedMs: number; blockedMs: number } {
    const started = this.#floats[STARTED_MS]
    const lifeMs = started === 0 ? 0 : (this.#floats[ENDED_MS] || nowMs) - started
    const starvedMs = this.#floats[STARVED_MS]
    const blockedMs = this.#floats[BLOCKED_MS]
    return { busyMs: Math.max(0, lifeMs - starvedMs - blockedMs), starvedMs, blockedMs }
  }
}

/** A clock that all threads of the process share, in milliseconds. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now()
}

export function allocateCounters(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * COUNTER_BYTES)
}
