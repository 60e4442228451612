/**
 * The shared words of all slabs of a run: who waits for one, and what each worker counts of its own.
 *
 * Waiting. A worker that finds all its memory in use stores WANTED and looks again before it sleeps. Whoever gives
 * back a record that refers to a slab does that first and looks at WANTED second; where it is set, it clears it and
 * rings those that may wait. Both store first and look second, so no wake-up is lost (doorbell.ts). One that was
 * rung and found nothing sets WANTED again.
 */
import { compareExchange, load, peek, poke, type Words } from './atomics.ts'
import type { Doorbell } from './doorbell.ts'

const LINE_WORDS = 16
const WANTED = 0

/** Words of a worker's line, written by that worker alone. */
const TAKEN = 0
const COPIED = 1
const WAITS = 2
const HELD = 3

/** What a worker counts of its slabs, over all its lives. */
export class SlabCounts {
  readonly #words: Words
  readonly #line: number

  constructor(board: SharedArrayBuffer, worker: number) {
    this.#words = new Int32Array(board)
    this.#line = (worker + 1) * LINE_WORDS
  }

  /** Slabs that `alloc` gave. */
  get taken(): number {
    return peek(this.#words, this.#line + TAKEN) >>> 0
  }

  /** Times that it gave ordinary memory instead, because there was no slab. */
  get copied(): number {
    return peek(this.#words, this.#line + COPIED) >>> 0
  }

  /** Times that it had to wait for one. */
  get waits(): number {
    return peek(this.#words, this.#line + WAITS) >>> 0
  }

  /** Slabs in the worker's hand: at its end, those that it lost. */
  get held(): number {
    return peek(this.#words, this.#line + HELD)
  }

  set held(count: number) {
    poke(this.#words, this.#line + HELD, count)
  }

  countTaken(): void {
    this.#add(TAKEN)
  }

  countCopied(): void {
    this.#add(COPIED)
  }

  countWait(): void {
    this.#add(WAITS)
  }

  #add(word: number): void {
    poke(this.#words, this.#line + word, (peek(this.#words, this.#line + word) + 1) | 0)
  }
}

export class SlabBoard {
  readonly #words: Words

  constructor(board: SharedArrayBuffer) {
    this.#words = new Int32Array(board)
  }

  static allocate(workers: number): SharedArrayBuffer {
    return new SharedArrayBuffer((workers + 1) * LINE_WORDS * 4)
  }

  /** Says that a worker waits for a slab, before the look that decides whether to sleep; whether that was news. */
  announceWait(): boolean {
    return compareExchange(this.#words, WANTED, 0, 1) === 0
  }

  get isWaitedFor(): boolean {
    return load(this.#words, WANTED) === 1
  }

  /** After something was given back: rings those who may wait for it. */
  answer(bells: readonly Doorbell[]): void {
    if (load(this.#words, WANTED) === 0) return
    if (compareExchange(this.#words, WANTED, 1, 0) !== 1) return
    for (const bell of bells) bell.ring()
  }
}
