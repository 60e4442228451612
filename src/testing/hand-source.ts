/** A source that is fed by hand, item by item. */
import { Deferred } from '../deferred.ts'

export class HandSource implements AsyncIterable<unknown> {
  readonly #items: unknown[] = []
  #more = new Deferred<void>()
  #hasEnded = false

  push(items: readonly unknown[]): void {
    this.#items.push(...items)
    this.#more.resolve()
  }

  end(): void {
    this.#hasEnded = true
    this.#more.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift()
      if (this.#hasEnded) return
      this.#more = new Deferred()
      await this.#more.promise
    }
  }
}
