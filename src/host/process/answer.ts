/** The outputs of one answer on their way out of the process: no more of them than the thread has room for. */
import { ABANDONED, OUT, type Outcome } from '../../observe/counters.ts'
import type { Awaitable } from '../emitter.ts'
import type { Channel } from './channel.ts'
import { CREDIT, OUTPUT } from './messages.ts'

export class Answer {
  readonly id: number
  readonly #channel: Channel
  #credit = CREDIT
  #isCancelled = false
  #wake: (() => void) | undefined

  constructor(id: number, channel: Channel) {
    this.id = id
    this.#channel = channel
  }

  /** Nobody wants the rest. */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** @throws MILLRACE_NOT_CLONEABLE */
  put(value: unknown): Awaitable<Outcome> {
    if (this.#isCancelled) return ABANDONED
    if (this.#credit === 0) return this.#putLater(value)
    this.#credit--
    this.#channel.send(OUTPUT, this.id, value)
    return OUT
  }

  more(outputs: number): void {
    this.#credit += outputs
    this.#wake?.()
  }

  cancel(): void {
    this.#isCancelled = true
    this.#wake?.()
  }

  async #putLater(value: unknown): Promise<Outcome> {
    this.#channel.flush()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
    return this.put(value)
  }
}
