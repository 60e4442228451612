/** Which items of a source are still to be acknowledged: told of in order, each once, when everything before is final. */
import type { Failure } from '../observe/failure.ts'
import type { Tracked } from '../tracked.ts'

export interface Settled {
  /** Position of the newest item settled by this call that has one; undefined: none has. */
  position: unknown
  /** What `ack` and `nack` functions threw or rejected with since the last call. */
  errors: unknown[]
}

interface Entry {
  tracked: Tracked<unknown>
  failure: Failure | undefined
}

export class Acks {
  /** By the item's number, the oldest first. Only what is in flight. */
  readonly #entries = new Map<number, Entry>()
  /** Promises of `ack` and `nack` that have not settled. */
  readonly #pending = new Set<Promise<void>>()
  #errors: unknown[] = []

  /** Items that are not settled. */
  get size(): number {
    return this.#entries.size
  }

  /** @param item greater than every one added before */
  add(item: number, tracked: Tracked<unknown>): void {
    this.#entries.set(item, { tracked, failure: undefined })
  }

  /**
   * Notes that an item, or something made from it, failed: before it is settled. The first failure is the one told of.
   * An item that is not tracked, or is settled already, is no matter.
   */
  fail(item: number, failure: Failure): void {
    const entry = this.#entries.get(item)
    if (entry !== undefined) entry.failure ??= failure
  }

  /** Every item up to this one is final: calls their `ack` or `nack`. Never throws. */
  settle(upTo: number): Settled {
    let position: unknown
    for (const [item, { tracked, failure }] of this.#entries) {
      if (item > upTo) break
      // Before the call: whatever it does, it is not called again.
      this.#entries.delete(item)
      if (failure === undefined) this.#call(() => tracked.ack?.())
      else this.#call(() => tracked.nack?.(failure))
      if (tracked.position !== undefined) position = tracked.position
    }
    return { position, errors: this.takeErrors() }
  }

  /** Resolves when every promise that `ack` and `nack` gave has settled. Never rejects: see `takeErrors`. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  /** What was thrown since the last look: after `idle`, for those of promises. */
  takeErrors(): unknown[] {
    const errors = this.#errors
    this.#errors = []
    return errors
  }

  #call(tell: () => unknown): void {
    try {
      const result = tell()
      if (isPromise(result)) this.#await(result)
    } catch (error) {
      this.#errors.push(error)
    }
  }

  #await(result: PromiseLike<unknown>): void {
    const noted = Promise.resolve(result).then(
      () => {},
      (error) => {
        this.#errors.push(error)
      },
    )
    const pending = noted.then(() => {
      this.#pending.delete(pending)
    })
    this.#pending.add(pending)
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function'
}
