/** Hands the outputs of a run to `for await`, one at a time: the caller is the last stage. */
import { Deferred } from '../deferred.ts'
import { NOT_TAKEN } from '../host/emitter.ts'

interface Offer {
  item: unknown
  answer: Deferred<unknown>
}

export class RunOutput<Out> implements AsyncIterator<Out, undefined> {
  #offer: Offer | undefined
  #asked: Deferred<IteratorResult<Out, undefined>> | undefined
  #isOver = false
  readonly #ended: Promise<unknown>
  readonly #left: () => void
  /** Whether anyone reads it. */
  isRead = false

  /** @param ended settles with the run; @param left called when the caller reads no more */
  constructor(ended: Promise<unknown>, left: () => void) {
    this.#ended = ended
    this.#left = left
  }

  /** The body of the output stage: done with an item when the caller has taken it. */
  readonly body = (item: unknown): unknown => {
    if (this.#isOver) return NOT_TAKEN
    if (this.#asked !== undefined) {
      this.#asked.resolve({ done: false, value: item as Out })
      this.#asked = undefined
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
    this.#asked ??= new Deferred<IteratorResult<Out, undefined>>()
    return Promise.race([this.#asked.promise, this.#end()])
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

  async #end(): Promise<IteratorResult<Out, undefined>> {
    await this.#ended
    this.#isOver = true
    return { done: true, value: undefined }
  }
}
