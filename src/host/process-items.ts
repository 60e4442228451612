/**
 * The loop of a worker that takes its items one after the other.
 *
 *   take an item -> process -> publish its outputs -> give it back
 *
 * Everything is synchronous until user code gives a promise, fails, or has to be waited for.
 */
import { bug, MillraceError } from '../errors.ts'
import { ABANDONED, DROPPED, FAILED, OUT, type Outcome } from '../observe/counters.ts'
import { ITEMS } from '../queue/doorbell.ts'
import type { InputReader } from '../queue/input-reader.ts'
import type { Emitter } from './emitter.ts'
import { HopSamples } from './hop-samples.ts'
import { Pace } from './pace.ts'
import type { ServiceClock, Watched } from './service-clock.ts'
import { TakeUp } from './take-up.ts'
import { type Trial, Trials } from './trials.ts'
import { BURST } from './waiting.ts'
import type { WorkerCore } from './worker-core.ts'

export class ItemLoop {
  readonly #core: WorkerCore
  readonly #reader: InputReader
  readonly #emitter: Emitter
  readonly #trials: Trials
  /** What a hop costs; not where fused operators take part of the time. */
  readonly #hops: HopSamples | undefined
  readonly #pace: Pace
  #takeUp: TakeUp | undefined

  constructor(core: WorkerCore, emitter: Emitter) {
    if (core.reader === undefined) throw bug('a stage without an input queue')
    this.#core = core
    this.#reader = core.reader
    this.#emitter = emitter
    this.#trials = new Trials(core)
    this.#hops = core.operators.length === 0 ? new HopSamples(core.counters) : undefined
    this.#pace = new Pace(core.task)
    this.#takeUp = TakeUp.from(core)
  }

  /** Until the stream ends, the run is aborted, or the worker is retired. */
  async run(): Promise<void> {
    const core = this.#core
    while (!core.isLeaving) {
      if (core.isHeld) {
        await core.holdOn()
        continue
      }
      const stoppedAt = this.#burst()
      if (typeof stoppedAt === 'object') {
        core.outputs.flush()
        this.#settle(this.#reader.id, await stoppedAt)
      } else if (stoppedAt === 'ended') return
      else if (stoppedAt === 'limited') await this.#processLimited()
      else if (stoppedAt === 'empty') {
        if (this.#reader.isRetired) {
          core.isRetired = true
          return
        }
        if (!this.#waitSync()) await this.#wait()
        continue
      }
      if (core.waiting.isTurnDue()) await core.waiting.turn()
    }
  }

  /** Processes what is there, until something has to be waited for or looked after. */
  #burst(): 'more' | 'limited' | 'empty' | 'ended' | Promise<Outcome> {
    const core = this.#core
    for (let left = BURST; left > 0; left--) {
      const found = this.#reader.poll()
      if (found !== 'item') return found
      if (core.plan.rateLimit !== undefined) return 'limited'
      const outcome = this.#processNext()
      if (typeof outcome !== 'number') return outcome
      if (core.waiting.isTurnDue() || core.isInterrupted) break
    }
    return 'more'
  }

  /** The item that was found, once the rate limit lets it begin. */
  async #processLimited(): Promise<void> {
    await this.#trials.mayBegin()
    if (this.#core.stop.isSet) return
    const outcome = this.#processNext()
    if (typeof outcome === 'number') return
    this.#core.outputs.flush()
    this.#settle(this.#reader.id, await outcome)
  }

  #processNext(): Outcome | Promise<Outcome> {
    this.#pace.countItem()
    return this.#takeUp === undefined ? this.#processOne() : this.#takeUpOne(this.#takeUp)
  }

  /** Processes the item at the head; a promise if it has still to be settled. */
  #processOne(): Outcome | Promise<Outcome> {
    const core = this.#core
    const reader = this.#reader
    const { context } = core
    const { ticket, item, source, order } = reader.found
    core.counters.take(ticket, item)
    context.beginItem(item, 1, source)
    core.outputs.begin(item, source, order, ticket)
    if (core.service?.passOver() === false) return this.#processWatched(core.service, ticket)
    let input: unknown
    try {
      input = reader.read()
      const outcome = this.#emitter.emit(this.#trials.timed(core.bound.process(input, context), context))
      if (typeof outcome !== 'number') return this.#later(outcome, input, undefined)
      this.#settle(ticket, outcome)
      return outcome
    } catch (error) {
      return this.#recoverNow(error, input)
    }
  }

  /** One of the few that are measured, or traced; kept apart, so that all the others need not ask. */
  #processWatched(clock: ServiceClock, ticket: number): Outcome | Promise<Outcome> {
    const { bound, context } = this.#core
    let input: unknown
    let service: Watched | undefined
    const isMeasured = clock.isDue
    if (isMeasured) this.#hops?.begin()
    try {
      input = this.#reader.read()
      service = clock.begin(context)
      const result = bound.process(input, context)
      if (service?.measured !== undefined) this.#hops?.worked(service.measured.sinceMs)
      const outcome = this.#emitter.emit(this.#trials.timed(result, context))
      if (typeof outcome !== 'number') return this.#later(outcome, input, service)
      if (service !== undefined) clock.end(service)
      this.#settle(ticket, outcome)
      if (isMeasured) this.#hops?.end(result)
      return outcome
    } catch (error) {
      if (service !== undefined) clock.end(service, { thrown: error })
      return this.#recoverNow(error, input)
    }
  }

  #later(outcome: Promise<Outcome>, input: unknown, service: Watched | undefined): Promise<Outcome> {
    const clock = this.#core.service
    if (service === undefined) return outcome.then(undefined, (error) => this.#recover(error, input))
    return outcome.then(
      (settled) => {
        clock?.end(service)
        return settled
      },
      (error) => {
        clock?.end(service, { thrown: error })
        return this.#recover(error, input)
      },
    )
  }

  /** The common case without a detour over the event loop: no retry, nothing to write, the run fails. */
  #recoverNow(error: unknown, input: unknown): Outcome | Promise<Outcome> {
    const { plan, context } = this.#core
    if (plan.retry !== undefined || plan.onError !== 'stop') return this.#recover(error, input)
    const ticket = this.#reader.id
    this.#core.fail('MILLRACE_STAGE_FAILED', 'failed', error, context.item)
    this.#settle(ticket, FAILED)
    return FAILED
  }

  /** An item that an earlier life may have had in hand. */
  #takeUpOne(takeUp: TakeUp): Outcome | Promise<Outcome> {
    const core = this.#core
    const ticket = this.#reader.id
    takeUp.countOne(ticket)
    const noted = takeUp.notedOutcome(ticket)
    const isDeadLettered = takeUp.isDeadLettered(ticket)
    const verdict = takeUp.verdictOn(ticket)
    takeUp.forget(ticket)
    if (takeUp.isDone) this.#takeUp = undefined
    if (noted !== undefined) {
      this.#reader.commit()
      core.counters.count(noted)
      return noted
    }
    if (isDeadLettered) {
      const error = new MillraceError('MILLRACE_STAGE_FAILED', 'it failed before the worker was restarted')
      const { item, source } = this.#reader
      this.#trials.tell(core.failure('MILLRACE_STAGE_FAILED', 'failed', error, item), [{ source, item }])
      this.#settle(ticket, FAILED)
      return FAILED
    }
    if (verdict === undefined) return this.#processOne()
    const { item, source } = this.#reader
    core.counters.take(ticket, item)
    core.context.beginItem(item, verdict.attempts + 1, this.#reader.source)
    core.counters.attempt = verdict.attempts + 1
    core.outputs.begin(item, source, this.#reader.order, ticket)
    const trial = this.#trial(this.#reader.read(), verdict.attempts)
    if (verdict.fail === undefined) return this.#try(trial)
    const { code, message } = verdict.fail
    return this.#trials.settle(
      new MillraceError(code, message),
      trial,
      code === 'MILLRACE_POISON_ITEM' ? code : undefined,
    )
  }

  #recover(error: unknown, input: unknown): Promise<Outcome> {
    return this.#afterFailure(error, this.#trial(input, this.#core.context.attempt))
  }

  /** That of the item at the head. */
  #trial(input: unknown, attempts: number): Trial {
    const { item, source, id } = this.#reader
    return { item, source, origins: [{ source, item }], ticket: id, input, attempts }
  }

  async #afterFailure(first: unknown, trial: Trial): Promise<Outcome> {
    try {
      const next = await this.#trials.next(first, trial.attempts).catch((error: unknown) => ({ error }))
      if (next === 'retry') return await this.#tryAgain(trial)
      if (next === 'stopped') return ABANDONED
      // The user's `retry.if` failed: that is what must be told.
      return await this.#trials.settle(typeof next === 'object' ? next.error : first, trial)
    } catch (error) {
      this.#core.fail('MILLRACE_STAGE_FAILED', 'failed', error, trial.item)
      return FAILED
    }
  }

  #tryAgain(trial: Trial): Promise<Outcome> {
    this.#core.counters.attempt = trial.attempts + 1
    this.#core.context.beginItem(trial.item, trial.attempts + 1, this.#reader.source)
    this.#core.outputs.beginAgain()
    return this.#try(trial)
  }

  async #try(before: Trial): Promise<Outcome> {
    const core = this.#core
    const trial = { ...before, attempts: before.attempts + 1 }
    const service = core.service?.begin(core.context)
    const end = (error?: { thrown: unknown }): void => {
      if (service !== undefined) core.service?.end(service, error)
    }
    try {
      const result = core.bound.process(trial.input, core.context)
      const outcome = await this.#emitter.emit(this.#trials.timed(result, core.context))
      end()
      return outcome
    } catch (error) {
      end({ thrown: error })
      return this.#afterFailure(error, trial)
    }
  }

  #settle(ticket: number, emitted: Outcome): void {
    const { counters, isSink } = this.#core
    // A sink has no outputs: what it took without an error was delivered.
    const outcome = isSink && emitted === DROPPED ? OUT : emitted
    if (this.#core.isLeft(outcome)) {
      counters.leave(ticket, outcome)
      return
    }
    counters.note(ticket, outcome)
    this.#reader.commit()
    counters.count(outcome)
  }

  /** Called when the sleep is announced: a reader that begins to doze now sees that, or is seen here. */
  readonly #isReady = (): boolean => {
    const core = this.#core
    core.outputs.flush()
    core.refresh()
    return this.#reader.isReady() || core.stop.isSet || core.isHeld || this.#reader.isRetired
  }

  readonly #isWorthWaking = (): boolean => {
    const { outputs, stop } = this.#core
    outputs.flush()
    return this.#reader.isWorthWaking() || stop.isSet
  }

  #waitSync(): boolean {
    const { waiting, bell, counters } = this.#core
    if (!waiting.mayBlock) return false
    const since = performance.now()
    if (this.#pace.beginWait()) bell.dozeSync(this.#isWorthWaking)
    // Rung in vain, as a merge is that waits for another worker, it comes back here, and dozes.
    if (!this.#isReady()) bell.sleepSync(this.#isReady, ITEMS)
    const waitedMs = performance.now() - since
    this.#pace.endWait(waitedMs)
    counters.addStarved(waitedMs)
    return true
  }

  async #wait(): Promise<void> {
    const { waiting, bell, counters } = this.#core
    const since = performance.now()
    await waiting.wait(bell, this.#isReady)
    counters.addStarved(performance.now() - since)
  }
}
