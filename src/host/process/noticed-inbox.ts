/**
 * What a process says in two pipes, in the order in which it said it.
 *
 * Notices have a pipe of their own, because a process writes them there at once and waits until they are written: that
 * is why none is lost. In the other pipe it only says that it did. Whatever follows there is held back until the notice
 * is here: an item that is sent on may be logged by the next stage.
 */
import type { Message } from './channel.ts'
import { TOLD } from './messages.ts'

export class NoticedInbox {
  readonly #take: (message: Message) => void
  /** Messages that wait for the notice that the first of them announces. */
  #held: Message[] = []
  /** Notices that are here and were not announced yet. */
  #early = 0

  constructor(take: (message: Message) => void) {
    this.#take = take
  }

  add(message: Message): void {
    this.#held.push(message)
    if (this.#held.length === 1) this.#pass()
  }

  noteNotice(): void {
    this.#early++
    this.#pass()
  }

  #pass(): void {
    let passed = 0
    for (const message of this.#held) {
      if (message.kind === TOLD) {
        if (this.#early === 0) break
        this.#early--
      } else this.#take(message)
      passed++
    }
    this.#held.splice(0, passed)
  }
}
