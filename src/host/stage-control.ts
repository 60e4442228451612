/** The shared words of a stage: what concerns all its workers. */

const FLAGS = 0
/** Time before which no worker may begin an item, in nanoseconds of the monotonic clock; 64 bits. */
const NEXT_START = 1
/** Bytes of one stage's words: a cache line. */
export const CONTROL_BYTES = 64

const OVER = 1
const PAUSED = 2

export class StageControl {
  readonly #words: Int32Array
  readonly #times: BigInt64Array

  constructor(memory: SharedArrayBuffer, index: number) {
    this.#words = new Int32Array(memory, index * CONTROL_BYTES, CONTROL_BYTES >> 2)
    this.#times = new BigInt64Array(memory, index * CONTROL_BYTES, CONTROL_BYTES >> 3)
  }

  /** Whether nothing keeps its workers from taking the next item: one load. */
  get isFree(): boolean {
    return Atomics.load(this.#words, FLAGS) === 0
  }

  /** `isFree`, for between two items: as of a moment ago. Before a wait that one is to be asked. */
  get peekFree(): boolean {
    return this.#words[FLAGS] === 0
  }

  /** A worker of the stage has ended the stream: the others stop after the items they have in hand. */
  get isOver(): boolean {
    return (Atomics.load(this.#words, FLAGS) & OVER) !== 0
  }

  /** Ring the bells of its workers after this. */
  setOver(): void {
    Atomics.or(this.#words, FLAGS, OVER)
  }

  /** Whether its workers take no item for now. */
  get isPaused(): boolean {
    return (Atomics.load(this.#words, FLAGS) & PAUSED) !== 0
  }

  /** Ring the bells of its workers after this. */
  setPaused(is: boolean): void {
    if (is) Atomics.or(this.#words, FLAGS, PAUSED)
    else Atomics.and(this.#words, FLAGS, ~PAUSED)
  }

  /**
   * Books the next start of an item, `everyNs` after the one before; how long to wait for it, in nanoseconds.
   * Evenly spaced starts: the generic cell rate algorithm (ITU-T I.371) without a burst.
   */
  bookStart(nowNs: bigint, everyNs: bigint): number {
    for (;;) {
      const next = Atomics.load(this.#times, NEXT_START)
      const start = next > nowNs ? next : nowNs
      if (Atomics.compareExchange(this.#times, NEXT_START, next, start + everyNs) === next) {
        return Number(start - nowNs)
      }
    }
  }
}

export function allocateControl(stages: number): SharedArrayBuffer {
  return new SharedArrayBuffer(stages * CONTROL_BYTES)
}
