/**
 * Gathers items that wait for the same thing into batches: as many as are there, up to a limit, one batch at a time.
 *
 * While a batch is being processed the next one gathers. Its first item waits for others `withinMs` at most; 0 is one turn
 * of the event loop, in which everything that waits in the queue is begun.
 */
import { Deferred } from '../deferred.ts'

interface Waiting<Item, Result> {
  item: Item
  result: Deferred<Result>
}

export class MicroBatcher<Item, Result> {
  readonly #max: number
  readonly #withinMs: number
  readonly #run: (items: Item[]) => Promise<Result[]>
  #waiting: Waiting<Item, Result>[] = []
  #isRunning = false
  #isDue = false
  #timer: NodeJS.Timeout | undefined

  /** @param run gives as many results as it is given items; what it throws each of them fails with */
  constructor(max: number, withinMs: number, run: (items: Item[]) => Promise<Result[]>) {
    this.#max = max
    this.#withinMs = withinMs
    this.#run = run
  }

  add(item: Item): Promise<Result> {
    const result = new Deferred<Result>()
    this.#waiting.push({ item, result })
    if (this.#waiting.length === 1) this.#beginToWait()
    else this.#next()
    return result.promise
  }

  /** Nothing more is begun. */
  close(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
  }

  #beginToWait(): void {
    this.#isDue = false
    const due = (): void => {
      this.#isDue = true
      this.#next()
    }
    if (this.#withinMs === 0) setImmediate(due)
    else this.#timer = setTimeout(due, this.#withinMs)
    this.#next()
  }

  #next(): void {
    const isReady = this.#waiting.length >= this.#max || (this.#isDue && this.#waiting.length > 0)
    if (this.#isRunning || !isReady) return
    clearTimeout(this.#timer)
    const batch = this.#waiting.splice(0, this.#max)
    this.#isDue = false
    this.#isRunning = true
    void this.#process(batch)
  }

  async #process(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ item }) => item))
      for (const [index, { result }] of batch.entries()) result.resolve(results[index])
    } catch (error) {
      for (const { result } of batch) result.reject(error)
    }
    this.#isRunning = false
    if (this.#waiting.length > 0) this.#beginToWait()
  }
}
