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
  #withinMs: number
  readonly #run: (items: Item[]) => Promise<Result[]>
  #waiting: Waiting<Item, Result>[] = []
  #isRunning = false
  #isDue = false
  #timer: NodeJS.Timeout | undefined

  /**
   * @param run gives as many results as it is given items; where it throws, each of them is tried alone, so that one that
   *   it cannot take costs the others nothing
   */
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

  /** From now on nothing waits for others: the run is being aborted, and items in hand must come to their end. */
  hurry(): void {
    this.#withinMs = 0
    clearTimeout(this.#timer)
    if (this.#waiting.length > 0) this.#beginToWait()
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
    this.#isRunning = true
    // Those that are left have a first one of their own.
    if (this.#waiting.length > 0) this.#beginToWait()
    void this.#process(batch)
  }

  async #process(batch: Waiting<Item, Result>[]): Promise<void> {
    await this.#runAll(batch)
    this.#isRunning = false
    if (this.#waiting.length === 0) return
    // Who has just been given a result may begin another item in this turn.
    if (this.#withinMs === 0) this.#beginToWait()
    else this.#next()
  }

  async #runAll(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ item }) => item))
      for (const [index, { result }] of batch.entries()) result.resolve(results[index])
    } catch (error) {
      if (batch.length === 1) batch[0].result.reject(error)
      else for (const one of batch) await this.#runAll([one])
    }
  }
}
