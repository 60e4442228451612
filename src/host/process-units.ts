/**
 * The loop of a worker that has several items in hand: batches, or `concurrency` promises at a time.
 *
 * Units are processed side by side; their outputs are published one unit after the other, in the order in which the
 * units were taken (order 'input') or finished ('completion'). So never more than one is partly published, and a
 * worker that dies can tell which.
 *
 * A sink publishes nothing, so nothing has to wait for its turn: a unit is given back as soon as it is processed. What
 * the sink did with it has happened; the shorter it stays in hand, the less comes again should the worker die.
 */
import { bug, MillraceError } from '../errors.ts'
import { ABANDONED, DROPPED, FAILED, OUT, type Outcome } from '../observe/counters.ts'
import { DOZE_MS } from '../queue/doorbell.ts'
import type { InputReader } from '../queue/input-reader.ts'
import type { Emitter } from './emitter.ts'
import { Pace } from './pace.ts'
import { TakeUp } from './take-up.ts'
import { Trials } from './trials.ts'
import type { Unit } from './unit.ts'
import { UnitGatherer } from './unit-gatherer.ts'
import type { WorkerCore } from './worker-core.ts'

export class UnitLoop {
  readonly #core: WorkerCore
  readonly #reader: InputReader
  readonly #emitter: Emitter
  readonly #trials: Trials
  readonly #takeUp: TakeUp | undefined
  readonly #pace: Pace
  readonly #gatherer: UnitGatherer
  /** In hand and not being published yet, in the order in which they were taken. */
  readonly #units: Unit[] = []
  /** Promises of units that are being processed. */
  readonly #running = new Set<Promise<void>>()
  readonly #isOrdered: boolean
  /** The next one, if it may not begin yet. */
  #early: Unit | undefined

  constructor(core: WorkerCore, emitter: Emitter) {
    if (core.reader === undefined) throw bug('a stage without an input queue')
    this.#core = core
    this.#reader = core.reader
    this.#emitter = emitter
    this.#trials = new Trials(core)
    this.#takeUp = TakeUp.from(core)
    this.#pace = new Pace(core.task)
    this.#gatherer = new UnitGatherer(core, core.reader, this.#takeUp, this.#pace)
    this.#isOrdered = core.plan.order === 'input' && !core.isSink
  }

  async run(): Promise<void> {
    const core = this.#core
    core.isPublishing = true
    await this.#loop()
    core.isPublishing = false
    core.dieIfDoomed()
    if (core.isLeaving) await this.#finish()
  }

  /** Until the stream ends, the run is aborted, or the worker is retired. */
  async #loop(): Promise<void> {
    const core = this.#core
    while (!core.isLeaving) {
      if (core.isHeld) {
        await core.holdOn()
        continue
      }
      const hasBegun = await this.#begin()
      const hasPublished = await this.#publishReady()
      if (core.waiting.isTurnDue()) await core.waiting.turn()
      if (hasBegun || hasPublished) continue
      if (this.#isDone()) return
      core.dieIfDoomed()
      await this.#wait()
    }
  }

  /** Begins as many units as may be in hand. */
  async #begin(): Promise<boolean> {
    const core = this.#core
    let hasBegun = false
    while (this.#running.size + this.#unpublished < this.#limit && !core.isLeaving) {
      if (this.#early !== undefined) break
      const unit = this.#gatherer.next() ?? this.#gatherer.makeRoom()
      if (unit === undefined) break
      const leave = this.#trials.mayBegin()
      if (leave === undefined) {
        hasBegun = true
        this.#start(unit)
      } else this.#startLater(unit, leave)
    }
    return hasBegun
  }

  #start(unit: Unit): void {
    const { counters, isRemote } = this.#core
    this.#units.push(unit)
    // A process works on the oldest; what is begun here may be the newest.
    const { ticket, item } = (isRemote ? this.#units[0] : unit).place
    counters.take(ticket, item)
    counters.held = this.#reader.held
    counters.units = this.#units.length
    this.#process(unit)
  }

  /** The rate limit does not let it begin yet. What is in hand need not wait for that. */
  #startLater(unit: Unit, leave: Promise<void>): void {
    const core = this.#core
    this.#early = unit
    void leave.then(() => {
      if (core.isGone) return
      this.#early = undefined
      if (!core.isLeaving) this.#start(unit)
      core.bell.ring()
    })
  }

  get #limit(): number {
    return this.#takeUp?.isAlone === true ? 1 : this.#core.inHandLimit
  }

  /** Units that are processed and wait for their turn. */
  get #unpublished(): number {
    return this.#units.length - this.#running.size
  }

  #process(unit: Unit): void {
    const takeUp = this.#takeUp
    const { ticket } = unit.place
    if (takeUp !== undefined) {
      takeUp.countOne(ticket)
      const verdict = takeUp.verdictOn(ticket)
      if (takeUp.notedOutcome(ticket) !== undefined || takeUp.isDeadLettered(ticket)) {
        unit.isProcessed = true
        return
      }
      if (verdict?.fail !== undefined) {
        unit.fail(new MillraceError(verdict.fail.code, verdict.fail.message))
        return
      }
    }
    const processing = unit.process(this.#core, this.#trials)
    if (processing === undefined) return
    this.#running.add(processing)
    void processing.then(() => {
      this.#running.delete(processing)
      if (this.#core.isSink) this.#settleDelivered(unit)
      this.#core.bell.ring()
    })
  }

  /** At once, not when the loop wakes: what the sink did is done. What it gave back to look at is left to the loop. */
  #settleDelivered(unit: Unit): void {
    const at = this.#units.indexOf(unit)
    if (at < 0 || this.#core.isGone || !isDelivered(unit) || unit.result !== undefined) return
    this.#units.splice(at, 1)
    this.#settle(unit, OUT)
  }

  async #publishReady(): Promise<boolean> {
    let hasPublished = false
    for (;;) {
      const unit = this.#nextToSettle()
      if (unit === undefined) return hasPublished
      this.#units.splice(this.#units.indexOf(unit), 1)
      this.#settle(unit, await this.#publish(unit))
      hasPublished = true
    }
  }

  #nextToSettle(): Unit | undefined {
    const { isOver, isSink, isGone } = this.#core
    if (isGone) return undefined
    // The outputs of a stage would find no taker; what a sink did is done all the same.
    if (isOver) return isSink ? this.#units.find(isDelivered) : undefined
    const unit = this.#isOrdered ? this.#units[0] : this.#units.find(({ isProcessed }) => isProcessed)
    return unit?.isProcessed === true ? unit : undefined
  }

  async #publish(unit: Unit): Promise<Outcome> {
    const { item, source, order, ticket } = unit.place
    const noted = this.#takeUp?.notedOutcome(ticket)
    if (noted !== undefined) return noted
    if (this.#takeUp?.isDeadLettered(ticket) === true) {
      const error = new MillraceError('MILLRACE_STAGE_FAILED', 'it failed before the worker was restarted')
      this.#trials.tell(
        this.#core.failure('MILLRACE_STAGE_FAILED', 'failed', error, item),
        unit.place.origins,
      )
      return FAILED
    }
    this.#core.outputs.begin(item, source, order, ticket)
    try {
      if (unit.isStopped) return ABANDONED
      if (unit.hasFailed) return await this.#giveUp(unit, unit.error)
      return await this.#emitter.emit(unit.result)
    } catch (error) {
      return this.#tryAgain(unit, error)
    }
  }

  /** What it gave could not be sent on: the whole unit is tried again, or has failed. */
  async #tryAgain(unit: Unit, first: unknown): Promise<Outcome> {
    let error = first
    try {
      for (;;) {
        const next = await this.#trials.next(error, unit.trial.attempts)
        if (next === 'stopped') return ABANDONED
        if (next === 'give up') return await this.#giveUp(unit, error)
        this.#core.outputs.beginAgain()
        try {
          unit.reset()
          await unit.process(this.#core, this.#trials)
          if (unit.isStopped) return ABANDONED
          if (unit.hasFailed) return await this.#giveUp(unit, unit.error)
          return await this.#emitter.emit(unit.result)
        } catch (next) {
          error = next
        }
      }
    } catch (thrown) {
      this.#core.fail('MILLRACE_STAGE_FAILED', 'failed', thrown, unit.place.item)
      return FAILED
    }
  }

  #giveUp(unit: Unit, error: unknown): Promise<Outcome> {
    const poisoned = this.#takeUp?.verdictOn(unit.place.ticket)?.fail?.code === 'MILLRACE_POISON_ITEM'
    return this.#trials.settle(error, unit.trial, poisoned ? 'MILLRACE_POISON_ITEM' : undefined)
  }

  #settle(unit: Unit, emitted: Outcome): void {
    const { counters, isSink } = this.#core
    const outcome = isSink && emitted === DROPPED ? OUT : emitted
    const { ticket, records } = unit.place
    this.#takeUp?.forget(ticket)
    if (this.#core.isLeft(outcome)) {
      counters.leave(ticket, outcome)
      return
    }
    counters.note(ticket, outcome)
    unit.context.letGoSlabs()
    for (const record of records) this.#reader.release(record)
    counters.count(outcome, records.length)
    counters.held = this.#reader.held
    const next = this.#units[0]
    counters.units = this.#units.length
    if (next === undefined) return
    counters.take(next.place.ticket, next.place.item)
    this.#core.activity.update()
  }

  /** Whether no unit is left and none will come. What is held for a batch leaves now. */
  #isDone(): boolean {
    if (this.#units.length > 0 || this.#early !== undefined) return false
    const isRetired = this.#reader.isRetiring
    if (this.#reader.poll() !== 'ended' && !isRetired) return false
    if (this.#gatherer.isHolding) {
      this.#gatherer.closeAll()
      return false
    }
    if (!isRetired) return this.#reader.poll() === 'ended'
    this.#core.isRetired = this.#reader.isRetired
    return this.#core.isRetired
  }

  async #wait(): Promise<void> {
    const { waiting, outputs, bell, counters, stop } = this.#core
    const since = performance.now()
    const early = this.#early
    const isFull = this.#units.length >= this.#limit
    const isReady = () => {
      outputs.flush()
      this.#core.refresh()
      if (stop.isSet || this.#core.isHeld || this.#core.doom !== undefined || this.#hasUnitReady())
        return true
      if (early !== undefined) return this.#early !== early
      // A sink gives back what it is done with while the loop waits.
      if (isFull) return this.#units.length < this.#limit
      const found = this.#reader.poll()
      return (
        found === 'item' ||
        (found === 'ended' && this.#units.length === 0) ||
        (this.#gatherer.isHolding && this.#reader.isWaitedFor) ||
        (this.#reader.isRetiring &&
          this.#units.length === 0 &&
          (this.#gatherer.isHolding || this.#reader.isRetired))
      )
    }
    const leftMs =
      isFull || early !== undefined ? Number.POSITIVE_INFINITY : Math.max(0, this.#gatherer.dueMs - since)
    if (this.#running.size > 0 || early !== undefined) waiting.becomeAsync()
    const mayDoze = this.#pace.beginWait() && !isFull && leftMs >= DOZE_MS
    if (waiting.mayBlock) {
      if (mayDoze) bell.dozeSync(() => this.#isWorthWaking())
      bell.waitSync(isReady, leftMs - (mayDoze ? performance.now() - since : 0))
    } else await waiting.wait(bell, isReady, leftMs)
    const waitedMs = performance.now() - since
    this.#pace.endWait(waitedMs)
    if (this.#units.length === 0) counters.addStarved(waitedMs)
  }

  #isWorthWaking(): boolean {
    const { outputs, stop } = this.#core
    outputs.flush()
    return this.#reader.isWorthWaking() || stop.isSet || this.#reader.isWaitedFor
  }

  #hasUnitReady(): boolean {
    return this.#nextToSettle() !== undefined
  }

  /** The run was aborted, or the stream is over: what is in hand is finished, not more. */
  async #finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
    await this.#publishReady()
  }
}

/** Of a sink: its function was done with it, without an error. */
function isDelivered({ isProcessed, hasFailed, isStopped }: Unit): boolean {
  return isProcessed && !hasFailed && !isStopped
}
