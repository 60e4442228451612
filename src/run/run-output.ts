/** Hands the outputs of a run to `for await`, one at a time: the caller is the last stage. */
import { Deferred } from '../deferred.ts'
import { NOT_TAKEN } from '../host/emitter.ts'

interface Offer {
  item: unknown
  answer: Deferred<unknown>
}

export class RunOutput<Out> implements AsyncIterator<Out, undefined> {
  #offer: Offer | undefined
  /** Calls of `next` that wait for an item, oldest first. */
  readonly #askers: Deferred<IteratorResult<Out, undefined>>[] = []
  #isOver = false
  readonly #ended: Promise<unknown>
  readonly #left: () => void
  /** Whether anyone reads it. */
  isRead = false

  /** @param ended settles with the run; @param left called when the caller reads no more */
  constructor(ended: Promise<unknown>, left: () => void) {
    this.#ended = ended
    this.#left = left
    // Once for all: each `next` that listened by itself would stay in memory until the end of the run.
    const onEnd = (): void => this.#endAskers()
    void ended.then(onEnd, onEnd)
  }

  /** Whether nobody takes an item any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The body of the output stage: done with an item when the caller has taken it. */
  readonly body = (item: unknown): unknown => {
    if (this.#isOver) return NOT_TAKEN
    const asker = this.#askers.shift()
    if (asker !== undefined) {
      asker.resolve({ done: false, value: item as Out })
      return undefined
    }
    this.#offer = { item, answer: new Deferred<unknown>() }
    return this.#offer.answer.promise
  }

  /** @throws what `join()` throws, once the run has failed */
  async next(): Promise<IteratorResult<Out, undefined>> {
    this.isRead = true
    const offer = this.#offer
    if (offer !== undefined) {
      this.#offer = undefined
      offer.answer.resolve(undefined)
      return { done: false, value: offer.item as Out }
    }
    if (this.#isOver) return this.#end()
    const asker = new Deferred<IteratorResult<Out, undefined>>()
    this.#askers.push(asker)
    return asker.promise
  }

  /** The caller broke out of its loop: upstream is stopped. Resolves when the run has ended. */
  async return(): Promise<IteratorResult<Out, undefined>> {
    this.isRead = true
    this.release()
    this.#left()
    return this.#end()
  }

  /** Nobody takes the item on offer any more. */
  release(): void {
    this.#isOver = true
    this.#offer?.answer.resolve(NOT_TAKEN)
    this.#offer = undefined
  }

  #endAskers(): void {
    this.#isOver = true
    for (const asker of this.#askers.splice(0)) this.#end().then(asker.resolve, asker.reject)
  }

  async #end(): Promise<IteratorResult<Out, undefined>> {
    await this.#ended
    return { done: true, value: undefined }
  }
}
