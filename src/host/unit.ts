/** One thing that a worker has in hand: an item or a batch of them. */
import type { ItemOrigin } from '../observe/failure.ts'
import { isThenable } from './emitter.ts'
import type { Watched } from './service-clock.ts'
import type { Trial, Trials } from './trials.ts'
import type { WorkerContext } from './worker-context.ts'
import type { WorkerCore } from './worker-core.ts'

/** Where a unit stands among the others and what its outputs name it by. */
export interface UnitPlace {
  /** Number of the (first) item at its source. */
  item: number
  source: number
  order: number
  /** Ticket of the item, or of the batch. */
  ticket: number
  /** All items in it. */
  origins: readonly ItemOrigin[]
  /** Tickets of the records to give back. */
  records: readonly number[]
}

export class Unit {
  readonly place: UnitPlace
  readonly trial: Trial
  readonly context: WorkerContext
  /** It has been processed: its result is there, or its error. */
  isProcessed = false
  result: unknown
  error: unknown
  hasFailed = false
  /** The run was aborted before it could be tried again. */
  isStopped = false

  constructor(core: WorkerCore, place: UnitPlace, input: unknown, attempts: number) {
    this.place = place
    const { item, source, origins, ticket } = place
    this.trial = { item, source, origins, ticket, input, attempts }
    this.context = core.context.forItem(place.item, attempts + 1, place.source, place.origins)
  }

  /** Processes it, with its retries; a promise only if that takes waiting. Never throws or rejects. */
  process(core: WorkerCore, trials: Trials): undefined | Promise<void> {
    try {
      const result = this.#call(core, trials)
      if (isThenable(result)) return this.#later(core, trials, result)
      this.#done(result)
    } catch (error) {
      return this.#retry(core, trials, error)
    }
    return undefined
  }

  /** It is to be processed once more. */
  reset(): void {
    this.isProcessed = false
    this.hasFailed = false
  }

  fail(error: unknown): void {
    this.error = error
    this.hasFailed = true
    this.isProcessed = true
  }

  #call(core: WorkerCore, trials: Trials): unknown {
    this.trial.attempts++
    this.context.beginItem(this.place.item, this.trial.attempts, this.place.source)
    core.activity.beginCall()
    const service = core.service?.begin(this.context)
    try {
      const result = trials.timed(core.bound.process(this.trial.input, this.context), this.context)
      if (isThenable(result)) return this.#awaited(core, result, service)
      endCall(core, service)
      return result
    } catch (error) {
      endCall(core, service, { thrown: error })
      throw error
    }
  }

  async #awaited(
    core: WorkerCore,
    result: PromiseLike<unknown>,
    service: Watched | undefined,
  ): Promise<unknown> {
    try {
      const output = await result
      endCall(core, service)
      return output
    } catch (error) {
      endCall(core, service, { thrown: error })
      throw error
    }
  }

  async #later(core: WorkerCore, trials: Trials, result: PromiseLike<unknown>): Promise<void> {
    core.waiting.becomeAsync()
    try {
      this.#done(await result)
    } catch (error) {
      await this.#retry(core, trials, error)
    }
  }

  async #retry(core: WorkerCore, trials: Trials, first: unknown): Promise<void> {
    let error = first
    try {
      for (;;) {
        const next = await trials.next(error, this.trial.attempts)
        this.isStopped = next === 'stopped'
        if (next !== 'retry') break
        try {
          this.#done(await this.#call(core, trials))
          return
        } catch (next) {
          error = next
        }
      }
    } catch (thrown) {
      // The user's `retry.if` failed.
      error = thrown
    }
    this.fail(error)
  }

  #done(result: unknown): void {
    this.result = result
    this.isProcessed = true
  }
}

function endCall(
  { activity, service: clock }: WorkerCore,
  service: Watched | undefined,
  error?: { thrown: unknown },
): void {
  if (service !== undefined) clock?.end(service, error)
  activity.endCall()
}
