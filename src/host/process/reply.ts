/** What comes back for one question: nothing, a value, or a stream of values if there are several. */

import { Deferred } from '../../deferred.ts'
import { errorFromWire } from '../../errors.ts'
import { SENTINEL } from '../../sentinel.ts'
import { STOPPED } from '../trials.ts'
import { CREDIT, type Done } from './messages.ts'

export interface ReplySteps {
  /** So many were taken. */
  more: (outputs: number) => void
  /** The rest is not wanted. */
  cancel: () => void
}

/** Whoever takes the outputs says so when he has taken a half of what may be under way. */
const TOLD_AT = CREDIT / 2

export class Reply {
  readonly #steps: ReplySteps
  readonly #ready = new Deferred()
  #outputs: unknown[] = []
  #done: Done | undefined
  #taken = 0
  #wake: (() => void) | undefined

  constructor(steps: ReplySteps) {
    this.#steps = steps
  }

  /** Whether somebody takes its outputs one by one, and waits for the next. */
  get isTaken(): boolean {
    return this.#wake !== undefined
  }

  add(output: unknown): void {
    this.#outputs.push(output)
    if (this.#outputs.length >= CREDIT) this.#ready.resolve()
    this.#wake?.()
  }

  finish(done: Done): void {
    this.#done = done
    this.#ready.resolve()
    this.#wake?.()
  }

  /** As a process function returns it. @throws what the stage threw */
  async result(): Promise<unknown> {
    await this.#ready.promise
    const done = this.#done
    if (done === undefined || this.#outputs.length > 1) return this.values()
    if (this.#outputs.length === 0) {
      if (done.isStopped) throw STOPPED
      if (done.error !== undefined) throw errorFromWire(done.error)
      return done.hasEnded ? SENTINEL : undefined
    }
    return done.error === undefined && !done.hasEnded ? this.#outputs[0] : this.values()
  }

  /** Each output as it comes. */
  async *values(): AsyncGenerator<unknown, unknown, undefined> {
    try {
      for (;;) {
        for (const output of this.#outputs.splice(0)) {
          this.#count()
          yield output
        }
        if (this.#outputs.length > 0) continue
        if (this.#done !== undefined) break
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    } finally {
      if (this.#done === undefined) this.#steps.cancel()
    }
    const { error, hasEnded } = this.#done
    if (error !== undefined) throw errorFromWire(error)
    return hasEnded ? SENTINEL : undefined
  }

  #count(): void {
    if (++this.#taken < TOLD_AT || this.#done !== undefined) return
    this.#steps.more(this.#taken)
    this.#taken = 0
  }
}
