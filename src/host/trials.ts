/** What becomes of an item that failed: tried again, then what `onError` says. */
import { MillraceError } from '../errors.ts'
import { ABANDONED, FAILED, HELD, type Outcome } from '../observe/counters.ts'
import type { Failure, ItemOrigin } from '../observe/failure.ts'
import { makeDeadLetter } from './dead-letter.ts'
import { isThenable } from './emitter.ts'
import { retryDelayMs } from './retry.ts'
import { withTimeLimit } from './time-limit.ts'
import type { WorkerContext } from './worker-context.ts'
import { codeOf, type WorkerCore } from './worker-core.ts'

/** What a process function that could not begin, because the run is over, fails with. */
export const STOPPED = Symbol('millrace.STOPPED')

/** Failures of one worker's items that are told in full. */
const TOLD_IN_FULL = 100

/** An item that failed, or may. */
export interface Trial {
  /** Number at its source; of a batch, of its first item. */
  item: number
  source: number
  /** All that failed if it does: of a batch, each of its items. */
  origins: readonly ItemOrigin[]
  /** What its outputs name it by. */
  ticket: number
  input: unknown
  /** Tries so far, the one that failed counted. */
  attempts: number
}

/** Errors that trying again cannot change. */
const FINAL = new Set<string | undefined>([
  'MILLRACE_NOT_CLONEABLE',
  'MILLRACE_ITEM_TOO_LARGE',
  'MILLRACE_CORRUPT_RECORD',
  'MILLRACE_SLAB_RELEASED',
  'MILLRACE_UNKNOWN_BRANCH',
])

export class Trials {
  readonly #core: WorkerCore
  #told = 0

  constructor(core: WorkerCore) {
    this.#core = core
  }

  /** Whether to try it once more; waits out the delay before. 'stopped': the run was aborted meanwhile. */
  async next(error: unknown, attempts: number): Promise<'retry' | 'give up' | 'stopped'> {
    const { plan, definition, counters, activity, stop, waiting, bell } = this.#core
    // Ended by its signal, the function has not failed: the run did not let it come to its end.
    if (error === STOPPED || (stop.isSet && codeOf(error) === 'MILLRACE_ABORTED')) return 'stopped'
    const { retry } = plan
    if (retry === undefined || attempts >= retry.attempts || FINAL.has(codeOf(error))) return 'give up'
    const isWorthIt = definition.options.retry?.if
    if (isWorthIt !== undefined && !isWorthIt(error, attempts)) return 'give up'
    activity.beginDelay()
    await waiting.sleep(bell, () => stop.isSet, retryDelayMs(retry, attempts))
    activity.endDelay()
    if (stop.isSet) return 'stopped'
    counters.countRetry()
    return 'retry'
  }

  /** The last word on an item that failed for good. */
  async settle(error: unknown, trial: Trial, code?: 'MILLRACE_POISON_ITEM'): Promise<Outcome> {
    const { plan, stop, counters } = this.#core
    // To tell of it is not the user's work: a worker that is slow to do so must not be replaced for it, again and again.
    counters.phase = HELD
    const failure = this.#core.failure(
      code ?? 'MILLRACE_STAGE_FAILED',
      'failed',
      error,
      trial.item,
      trial.attempts,
    )
    if (plan.onError === 'stop') {
      this.#core.fail(code ?? 'MILLRACE_STAGE_FAILED', 'failed', error, trial.item, trial.attempts)
      return FAILED
    }
    if (plan.onError === 'dead-letter') {
      const isPut = await this.#putDeadLetter(failure, trial)
      if (!isPut && stop.isSet) return ABANDONED
    }
    this.tell(failure, trial.origins)
    return FAILED
  }

  /** Before the item is given back: whoever sees it gone can know that it failed. */
  tell(failure: Failure, origins: readonly ItemOrigin[]): void {
    this.#core.counters.countTold()
    const { error: _, ...brief } = failure
    this.#core.host.fail(++this.#told <= TOLD_IN_FULL ? failure : brief, true, origins)
  }

  async #putDeadLetter(failure: Failure, trial: Trial): Promise<boolean> {
    const queue = this.#core.deadLetters
    if (queue === undefined) return false
    const letter = makeDeadLetter(failure, trial.input, trial.attempts, new Date())
    const origin = { item: trial.item, source: trial.source, order: 0, madeBy: trial.ticket, part: 0 }
    queue.begin()
    try {
      const outcome = await queue.put(letter, origin)
      return outcome !== ABANDONED
    } catch (error) {
      // Its input travelled here, so only its size can be in the way: the letter goes without it.
      if (!(error instanceof MillraceError)) throw error
      queue.begin()
      const note = `the input is left out: ${error.message}`
      return (await queue.put({ ...letter, input: undefined, note }, origin)) !== ABANDONED
    }
  }

  /** The result of a process function, or the error that it took longer than `timeoutMs`. */
  timed(result: unknown, context: WorkerContext): unknown {
    const { timeoutMs } = this.#core.plan
    // A process times its items itself.
    if (timeoutMs === undefined || !isThenable(result) || this.#core.isRemote) return result
    this.#core.waiting.becomeAsync()
    return withTimeLimit(result, timeoutMs, (late) => {
      if (this.#core.isGone) return false
      context.abortItem(late)
      return true
    })
  }

  /** Waits until the stage may begin another item, by its `rateLimit`. Undefined: now. */
  mayBegin(): Promise<void> | undefined {
    const { plan, control, activity, stop } = this.#core
    const { rateLimit } = plan
    if (rateLimit === undefined) return undefined
    const everyNs = BigInt(Math.ceil((rateLimit.perMs * 1e6) / rateLimit.items))
    // The same in all threads, whatever is done to the time of day.
    const waitNs = control.bookStart(process.hrtime.bigint(), everyNs)
    if (waitNs <= 0) return undefined
    activity.beginDelay()
    return this.#core.waiting
      .sleep(this.#core.bell, () => stop.isSet, waitNs / 1e6)
      .then(() => activity.endDelay())
  }
}
