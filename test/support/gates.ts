/** Words in shared memory by which tests and their threads wait for each other. Nobody sleeps for a while and hopes. */
import { until } from './turn.ts'

/** Words that any thread may count in, wait for and look at. */
export class Gates {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(memory = new SharedArrayBuffer(64 * 4)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  get(index: number): number {
    return Atomics.load(this.#words, index)
  }

  /** Counts, and wakes who waits. Gives the new count. */
  count(index: number, by = 1): number {
    const now = Atomics.add(this.#words, index, by) + by
    Atomics.notify(this.#words, index)
    return now
  }

  /** Blocks this thread until the count is reached. Only in worker threads. */
  reachedSync(index: number, target: number): void {
    for (let now = this.get(index); now < target; now = this.get(index)) Atomics.wait(this.#words, index, now)
  }

  /** Resolves when the count is reached, looking at every turn of the event loop. */
  async reached(index: number, target: number): Promise<void> {
    await until(() => this.get(index) >= target)
  }
}
