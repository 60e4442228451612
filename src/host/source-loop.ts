/** The loop of a source's worker: reads, numbers its items, and learns which of them are final. */

import { ABANDONED, HELD, type Outcome, WORKING } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import { isTracked } from '../tracked.ts'
import { type Awaitable, type Emitter, isThenable } from './emitter.ts'
import { Finality } from './finality.ts'
import { readItems } from './read-items.ts'
import { Trials } from './trials.ts'
import type { WorkerCore } from './worker-core.ts'

export class SourceLoop {
  readonly #core: WorkerCore
  readonly #emitter: Emitter
  readonly #trials: Trials
  readonly #finality: Finality
  readonly #source: number
  /** Items that an earlier life has sent on: they are read again and let go. */
  #again = 0

  constructor(core: WorkerCore, emitter: Emitter) {
    this.#core = core
    this.#emitter = emitter
    this.#trials = new Trials(core)
    this.#finality = new Finality(core)
    this.#source = core.plan.sourceIndex ?? 0
  }

  /** Something failed somewhere in the run, and with it these items of this source. */
  noteFailure(failure: Failure, items: readonly number[]): void {
    this.#finality.noteFailure(failure, items)
  }

  /** Until the source ends, or the run drains. */
  async run(): Promise<void> {
    const core = this.#core
    const { counters, context, bound, stop } = core
    await core.attempt('MILLRACE_SOURCE_FAILED', 'failed to read', async () => {
      context.keepAllSlabs()
      context.position = this.#finality.takeUp()
      if (core.task.life > 1) this.#takeUp()
      // The run ended before it began: what is only made to be closed is not made.
      if (stop.isDraining) return
      await readItems(bound.items(context), {
        place: this.#place,
        abandon: () => {
          counters.countRead()
          counters.count(ABANDONED)
        },
        isOver: () => core.isOver || stop.peekDraining,
        drained: () => stop.signalAt('drain'),
        waiting: core.waiting,
        rest: () => core.outputs.rest(),
      })
    })
  }

  /** After SENTINEL: waits until every item is final, if anyone wants to know. */
  async finish(): Promise<void> {
    await this.#core.attempt('MILLRACE_SOURCE_FAILED', 'failed to tell what is final', () =>
      this.#finality.finish(),
    )
  }

  #takeUp(): void {
    const { counters, outputs } = this.#core
    counters.readAgain()
    this.#again = counters.settled - this.#finality.itemsBefore
    outputs.setPartial((counters.settled + 1) >>> 0)
  }

  /** Sends on an item that the source has read; a promise only if that takes waiting. */
  readonly #place = (value: unknown): undefined | Promise<void> => {
    const core = this.#core
    if (this.#again > 0) {
      this.#again--
      core.slabs?.letGoOf(isTracked(value) ? value.value : value)
      return undefined
    }
    if (!core.control.peekFree || this.#finality.isFull || core.plan.rateLimit !== undefined)
      return this.#placeLater(value)
    return this.#placeNow(value)
  }

  async #placeLater(value: unknown): Promise<void> {
    const core = this.#core
    if (core.isHeld) await core.holdOn()
    core.outputs.flush()
    core.counters.phase = HELD
    await this.#finality.untilRoom()
    await this.#trials.mayBegin()
    core.counters.phase = WORKING
    if (core.stop.isSet) {
      core.counters.countRead()
      core.counters.count(ABANDONED)
    } else await this.#placeNow(value)
  }

  #placeNow(given: unknown): undefined | Promise<void> {
    const { counters, context, outputs } = this.#core
    counters.countRead()
    const item = counters.read
    outputs.begin(item, this.#source, 0, item >>> 0)
    context.beginItem(item, 1)
    const value = isTracked(given) ? this.#finality.track(item, given) : given
    let outcome: Awaitable<Outcome>
    try {
      outcome = this.#emitter.emit(value)
    } catch (error) {
      outcome = this.#fail(error)
    }
    if (isThenable(outcome)) {
      outputs.flush()
      return Promise.resolve(outcome).then(
        (settled) => this.#settle(settled as Outcome, value),
        (error) => this.#settle(this.#fail(error), value),
      )
    }
    this.#settle(outcome, value)
    return undefined
  }

  #settle(outcome: Outcome, value: unknown): void {
    // What the operators after it let go.
    this.#core.slabs?.letGoOf(value)
    this.#core.counters.count(outcome)
    if (outcome === ABANDONED && this.#core.isRefused) this.#core.isOver = true
  }

  #fail(error: unknown): Outcome {
    this.#core.fail('MILLRACE_STAGE_FAILED', 'failed', error, this.#core.context.item)
    return ABANDONED
  }
}
