/**
 * The loop of a worker that takes its items one after the other.
 *
 *   take an item -> process -> publish its outputs -> give it back
 *
 * Everything is synchronous until user code gives a promise, fails, or has to be waited for. In a stream of quick items
 * the last two steps are done once for several: see burst.ts.
 */
import { bug, MillraceError } from '../errors.ts'
import { ABANDONED, DROPPED, FAILED, OUT, type Outcome } from '../observe/counters.ts'
import { HeldBack } from '../queue/held-back.ts'
import type { InputReader } from '../queue/input-reader.ts'
import { SETTLE_MS } from '../queue/lane.ts'
import { type Emitter, isThenable } from './emitter.ts'
import { TakeUp } from './take-up.ts'
import { type Trial, Trials } from './trials.ts'
import type { WorkerContext } from './worker-context.ts'
import type { WorkerCore } from './worker-core.ts'

/** The time of one call in so many is taken, to know what a hop is set against. */
const ITEMS_PER_SAMPLE = 64

/** What reading the clock takes. */
const CLOCK_MS = clockMs()

/** A worker that processed so many items since it last waited is in a stream, and dozes before it sleeps. */
const STREAMING_ITEMS = 4

export class ItemLoop {
  readonly #core: WorkerCore
  readonly #reader: InputReader
  readonly #emitter: Emitter
  readonly #trials: Trials
  readonly #heldBack: HeldBack
  #takeUp: TakeUp | undefined
  /** Items since the last wait. */
  #burst = 0
  #untilSample = ITEMS_PER_SAMPLE
  /** Time of the process function for the item whose time is being taken. */
  #workMs = 0

  constructor(core: WorkerCore, emitter: Emitter) {
    if (core.reader === undefined) throw bug('a stage without an input queue')
    this.#core = core
    this.#reader = core.reader
    this.#emitter = emitter
    this.#trials = new Trials(core)
    this.#heldBack = new HeldBack(core.reader)
    this.#takeUp = TakeUp.from(core)
  }

  /** Until the stream ends, the run is aborted, or the worker is retired. */
  async run(): Promise<void> {
    const core = this.#core
    const reader = this.#reader
    const { waiting, plan } = core
    const isLimited = plan.rateLimit !== undefined
    while (!core.isLeaving) {
      if (core.isHeld) {
        await core.holdOn()
        continue
      }
      const found = reader.poll()
      if (found === 'ended') return
      if (found === 'empty') {
        if (reader.isRetired) {
          core.isRetired = true
          return
        }
        if (!this.#waitSync()) await this.#wait()
        continue
      }
      if (isLimited) {
        await this.#trials.mayBegin()
        if (core.stop.isSet) return
      }
      this.#burst++
      const outcome = this.#next()
      if (typeof outcome !== 'number') {
        core.flush()
        this.#settle(reader.id, await outcome)
      }
      if (waiting.isTurnDue()) {
        core.flush()
        await waiting.turn()
      }
    }
  }

  #next(): Outcome | Promise<Outcome> {
    if (this.#takeUp !== undefined) return this.#takeUpOne(this.#takeUp)
    return --this.#untilSample === 0 ? this.#sampleOne() : this.#processOne()
  }

  /** Processes the item at the head; a promise if it has still to be settled. */
  #processOne(process = this.#core.bound.process): Outcome | Promise<Outcome> {
    const core = this.#core
    const reader = this.#reader
    const ticket = reader.id
    const { item } = reader
    core.counters.take(ticket, item)
    core.context.beginItem(item, 1, reader.source)
    core.outputs.begin(item, reader.source, reader.order, ticket)
    let input: unknown
    try {
      input = reader.read()
      const result = process(input, core.context)
      const outcome = this.#emitter.emit(this.#trials.timed(result, core.context))
      if (typeof outcome !== 'number') return outcome.then(undefined, (error) => this.#recover(error, input))
      this.#settle(ticket, outcome)
      return outcome
    } catch (error) {
      return this.#recoverNow(error, input)
    }
  }

  /**
   * Processes an item and takes the time, if all of it is known: not of a promise, nor a generator, nor of fused
   * operators. Of the whole item, not of many, so that both times count what a loaded machine adds alike.
   */
  #sampleOne(): Outcome | Promise<Outcome> {
    const { counters, definition } = this.#core
    this.#untilSample = ITEMS_PER_SAMPLE
    this.#workMs = 0
    const { blockedMs } = counters
    const since = performance.now()
    const outcome = this.#processOne(this.#timedProcess)
    const ms = performance.now() - since
    const isKnown = typeof outcome === 'number' && this.#workMs > 0 && definition.operators.length === 0
    // One that waited for room says nothing.
    if (isKnown && counters.blockedMs === blockedMs)
      counters.addSample(this.#workMs, Math.max(0, ms - this.#workMs - 2 * CLOCK_MS))
    return outcome
  }

  readonly #timedProcess = (input: unknown, context: WorkerContext): unknown => {
    const since = performance.now()
    const result = this.#core.bound.process(input, context)
    const ms = performance.now() - since
    if (typeof result !== 'object' || !isLazy(result)) this.#workMs = Math.max(CLOCK_MS, ms - CLOCK_MS)
    return result
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
    takeUp.countOne()
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
    const trial = { ...before, attempts: before.attempts + 1 }
    try {
      const result = this.#core.bound.process(trial.input, this.#core.context)
      return await this.#emitter.emit(this.#trials.timed(result, this.#core.context))
    } catch (error) {
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
    this.#reader.settle()
    counters.count(outcome)
    if (this.#core.burst.isOver()) this.#core.endBurst()
  }

  readonly #isReady = (): boolean => {
    const core = this.#core
    core.refresh()
    return this.#reader.isReady() || core.stop.isSet || core.isHeld || this.#reader.isRetired
  }

  #waitSync(): boolean {
    const { waiting, burst, bell, counters, stop } = this.#core
    if (!waiting.mayBlock) return false
    this.#core.flush()
    const since = performance.now()
    const isStreaming = this.#burst >= STREAMING_ITEMS
    this.#burst = 0
    if (isStreaming) {
      const { sealed } = this.#reader
      bell.dozeSync(() => this.#reader.isWorthWaking() || stop.isSet)
      const isSettled = sealed !== undefined && performance.now() - since > SETTLE_MS
      if (isSettled) this.#reader.publishSealed(sealed)
    }
    if (!this.#isReady()) bell.waitSync(this.#isReady, undefined, this.#heldBack.lookAgainMs, 'items')
    counters.addStarved(performance.now() - since)
    burst.restart()
    return true
  }

  async #wait(): Promise<void> {
    const { waiting, burst, bell, counters } = this.#core
    this.#core.flush()
    const since = performance.now()
    await waiting.wait(bell, this.#isReady, undefined, this.#heldBack.lookAgainMs)
    counters.addStarved(performance.now() - since)
    burst.restart()
  }
}

function isLazy(result: object | null): boolean {
  return isThenable(result) || typeof (result as Iterator<unknown> | null)?.next === 'function'
}

function clockMs(): number {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < 50; turn++) {
    const since = performance.now()
    least = Math.min(least, performance.now() - since)
  }
  return least
}
