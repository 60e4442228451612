/**
 * THE worker loop: the only copy, whatever the host.
 *
 *   open -> ready -> gate -> { take an item -> process -> publish -> give the item back } -> flush -> close -> SENTINEL
 *
 * An item is given back only after its outputs are published, so at every instant each item is in a queue or
 * published; a worker that dies loses nothing. The worker catches its own exceptions: it sets the stop event, leaves
 * its queues so that its neighbours do not wait for it, and closes its resource.
 */
import type { StageDefinition } from '../define/pipeline.ts'
import { ADVICE, bug, MillraceError, type MillraceErrorCode } from '../errors.ts'
import {
  ABANDONED,
  DONE,
  DROPPED,
  FAILED,
  OUT,
  type Outcome,
  READY,
  RUNNING,
  sharedNowMs,
  type WorkerCounters,
} from '../observe/counters.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { QueueReader } from '../queue/queue-reader.ts'
import type { QueueWriter } from '../queue/queue-writer.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import { type BoundStage, bindStage } from './bind-stage.ts'
import { type Awaitable, Emitter, NOT_TAKEN } from './emitter.ts'
import { readItems } from './read-items.ts'
import { Waiting } from './waiting.ts'
import type { WorkerContext } from './worker-context.ts'

export interface WorkerTask {
  stage: StageDefinition
  context: WorkerContext
  input: BoundedQueue | undefined
  output: BoundedQueue | undefined
  stop: StopEvent
  counters: WorkerCounters
  /** Set where the worker has a thread of its own, which it may block: see `Waiting`. */
  baseline: number | undefined
  /** Turns that a blocked wait may look around before it sleeps; 0 where threads outnumber the cores. */
  spins: number
  /** Everything is opened; resolves when the run begins. */
  ready: () => Promise<void>
  fail: (failure: Failure) => void
}

/** Runs one worker to its end. Never rejects: what goes wrong is told through `task.fail`. */
export async function runWorker(task: WorkerTask): Promise<void> {
  await new WorkerLoop(task).run()
}

/** A worker that processed so many items since it last waited is in a stream, and dozes before it sleeps. */
const STREAMING_ITEMS = 4

class WorkerLoop {
  readonly #task: WorkerTask
  readonly #bound: BoundStage
  readonly #reader: QueueReader | undefined
  readonly #writer: QueueWriter | undefined
  readonly #emitter: Emitter
  readonly #isSink: boolean
  readonly #waiting: Waiting
  readonly #origin = { seq: 0, part: 0 }
  /** The stream ends here: the stage returned SENTINEL, or nobody reads its outputs any more. */
  #isOver = false
  /** Nobody reads its outputs any more. */
  #isRefused = false
  #hasFailed = false
  /** Items since the last wait. */
  #burst = 0

  constructor(task: WorkerTask) {
    this.#task = task
    this.#bound = bindStage(task.stage)
    this.#reader = task.input?.reader({ wakeWriter: 'late' })
    this.#writer = task.output?.writer()
    this.#reader?.bell.allowSpinning(task.spins)
    this.#writer?.bell.allowSpinning(task.spins)
    this.#waiting = new Waiting(task.baseline)
    this.#isSink = this.#reader !== undefined && this.#writer === undefined
    this.#emitter = this.#makeEmitter()
  }

  /** An emitter is done with when its stream has ended: `flush` gets one of its own. */
  #makeEmitter(): Emitter {
    return new Emitter(this.#isSink ? [] : this.#task.stage.operators, {
      put: this.#isSink ? this.#accept : this.#put,
      end: () => {
        this.#isOver = true
      },
      becomeAsync: () => this.#waiting.becomeAsync(),
    })
  }

  async run(): Promise<void> {
    const { counters, stop } = this.#task
    const isOpen = await this.#attempt('MILLRACE_OPEN_FAILED', 'failed to open', () =>
      this.#bound.open(this.#task.context),
    )
    if (isOpen) {
      counters.life = READY
      await this.#task.ready()
      counters.startClock(sharedNowMs())
      counters.life = RUNNING
      await this.#live()
      await this.#attempt('MILLRACE_CLOSE_FAILED', 'failed to close', () =>
        this.#bound.close(this.#task.context),
      )
      counters.stopClock(sharedNowMs())
    }
    this.#leave(stop)
    counters.life = DONE
  }

  async #live(): Promise<void> {
    const { stage, context } = this.#task
    try {
      await (stage.kind === 'source' ? this.#readAll() : this.#processAll())
    } catch (error) {
      this.#fail('MILLRACE_BUG', 'met a bug in Millrace', error)
    }
    context.item = 0
    if (this.#hasFailed || this.#isRefused || this.#task.stop.isSet) return
    await this.#attempt('MILLRACE_FLUSH_FAILED', 'failed to flush', async () => {
      this.#origin.part = 0
      await this.#makeEmitter().emit(this.#bound.flush(context))
    })
  }

  /** SENTINEL after an orderly end; after anything else the neighbours learn that this end is gone. */
  #leave(stop: StopEvent): void {
    this.#reader?.leave()
    if (this.#hasFailed || stop.isSet) this.#writer?.leave()
    else this.#writer?.putEnd({ seq: this.#origin.seq, part: this.#origin.part })
  }

  async #processAll(): Promise<void> {
    const { stop } = this.#task
    const reader = this.#reader
    if (reader === undefined) throw bug('a stage without an input queue')
    const isReady = () => reader.isReady() || stop.isSet
    while (!this.#isOver && !stop.isSet) {
      const found = reader.poll()
      if (found === 'ended') return
      if (found === 'empty') {
        if (!this.#waitForItemSync(reader, isReady)) await this.#waitForItem(reader, isReady)
        continue
      }
      this.#burst++
      const outcome = this.#processOne(reader)
      if (typeof outcome !== 'number') {
        this.#writer?.flush()
        this.#settle(reader, await this.#outcomeOf(outcome))
      }
      if (this.#waiting.isTurnDue()) await this.#waiting.turn()
    }
  }

  /** Processes the item at the head; a promise if it has still to be settled. */
  #processOne(reader: QueueReader): Outcome | Promise<Outcome> {
    const { context, counters } = this.#task
    const { seq } = reader
    counters.take(seq)
    context.item = seq
    this.#origin.seq = seq
    this.#origin.part = 0
    try {
      const outcome = this.#emitter.emit(this.#bound.process(reader.read(), context))
      if (typeof outcome === 'number') this.#settle(reader, outcome)
      return outcome
    } catch (error) {
      const outcome = this.#failItem(error)
      this.#settle(reader, outcome)
      return outcome
    }
  }

  async #outcomeOf(pending: Promise<Outcome>): Promise<Outcome> {
    try {
      return await pending
    } catch (error) {
      return this.#failItem(error)
    }
  }

  #settle(reader: QueueReader, emitted: Outcome): void {
    const { counters } = this.#task
    // A sink has no outputs: what it took without an error was delivered.
    const outcome = this.#isSink && emitted === DROPPED ? OUT : emitted
    counters.note(outcome)
    reader.commit()
    counters.count(outcome)
  }

  async #readAll(): Promise<void> {
    const { context, stop } = this.#task
    await this.#attempt('MILLRACE_SOURCE_FAILED', 'failed to read', () =>
      readItems(this.#bound.items(context), {
        place: this.#place,
        abandon: this.#abandon,
        isOver: () => this.#isOver || stop.isDraining,
        drained: () => stop.signalAt('drain'),
        waiting: this.#waiting,
      }),
    )
  }

  /** Sends on an item that the source has read; a promise only if that takes waiting. */
  readonly #place = (value: unknown): undefined | Promise<void> => {
    const { counters, context } = this.#task
    counters.countRead()
    const seq = counters.read
    this.#origin.seq = seq
    this.#origin.part = 0
    context.item = seq
    let outcome: Awaitable<Outcome>
    try {
      outcome = this.#emitter.emit(value)
    } catch (error) {
      outcome = this.#failItem(error)
    }
    if (typeof outcome !== 'number')
      return this.#outcomeOf(outcome).then((settled) => counters.count(settled))
    counters.count(outcome)
    return undefined
  }

  /** An item that the source gave too late to be sent on. After the end the account is closed. */
  readonly #abandon = (): void => {
    const { counters } = this.#task
    if (counters.life === DONE) return
    counters.countRead()
    counters.count(ABANDONED)
  }

  /** The `put` of a sink: whatever it returned or yielded is of no interest. */
  readonly #accept = (value: unknown): Outcome => {
    if (value !== NOT_TAKEN) return OUT
    this.#isOver = true
    return ABANDONED
  }

  readonly #put = (value: unknown): Awaitable<Outcome> => {
    const writer = this.#writer as QueueWriter
    const result = writer.tryPut(value, this.#origin)
    if (result === 'ok') {
      this.#origin.part++
      return OUT
    }
    return result === 'full' ? this.#putWhenRoom(writer, value) : this.#refused()
  }

  #putWhenRoom(writer: QueueWriter, value: unknown): Awaitable<Outcome> {
    const { stop, counters } = this.#task
    const isReady = () => writer.isReady() || stop.isSet
    while (this.#waiting.mayBlock) {
      const since = performance.now()
      writer.bell.waitSync(isReady)
      counters.addBlocked(performance.now() - since)
      if (stop.isSet) return ABANDONED
      const result = writer.tryPut(value, this.#origin)
      if (result === 'closed') return this.#refused()
      if (result === 'full') continue
      this.#origin.part++
      return OUT
    }
    return this.#putLater(writer, value, isReady)
  }

  async #putLater(writer: QueueWriter, value: unknown, isReady: () => boolean): Promise<Outcome> {
    const since = performance.now()
    await this.#waiting.wait(writer.bell, isReady)
    this.#task.counters.addBlocked(performance.now() - since)
    if (this.#task.stop.isSet) return ABANDONED
    return this.#put(value)
  }

  #refused(): Outcome {
    this.#isOver = true
    this.#isRefused = true
    return ABANDONED
  }

  #waitForItemSync(reader: QueueReader, isReady: () => boolean): boolean {
    if (!this.#waiting.mayBlock) return false
    this.#writer?.flush()
    const since = performance.now()
    const isStreaming = this.#burst >= STREAMING_ITEMS
    this.#burst = 0
    if (isStreaming) reader.bell.dozeSync(() => reader.isWorthWaking() || this.#task.stop.isSet)
    if (!isReady()) reader.bell.waitSync(isReady)
    this.#task.counters.addStarved(performance.now() - since)
    return true
  }

  async #waitForItem(reader: QueueReader, isReady: () => boolean): Promise<void> {
    this.#writer?.flush()
    const since = performance.now()
    await this.#waiting.wait(reader.bell, isReady)
    this.#task.counters.addStarved(performance.now() - since)
  }

  #failItem(error: unknown): Outcome {
    this.#fail('MILLRACE_STAGE_FAILED', 'failed', error, this.#task.context.item)
    return FAILED
  }

  async #attempt(code: MillraceErrorCode, doing: string, action: () => unknown): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      this.#fail(code, doing, error)
      return false
    }
  }

  /** Tells of the failure, then sets the stop: whoever sees the stop can already know why. */
  #fail(code: MillraceErrorCode, doing: string, error: unknown, item?: number): void {
    const { stage, worker } = this.#task.context
    const place = { stage, worker, ...(item === undefined ? {} : { item }) }
    const ownCode = (code === 'MILLRACE_BUG' ? undefined : codeOf(error)) ?? code
    this.#hasFailed = true
    this.#isOver = true
    this.#task.fail(makeFailure(ownCode, doing, place, error))
    this.#task.stop.set('abort')
  }
}

/** The code of an error of our own. User code may throw what cannot even be looked at. */
function codeOf(error: unknown): MillraceErrorCode | undefined {
  try {
    return error instanceof MillraceError && Object.hasOwn(ADVICE, error.code) ? error.code : undefined
  } catch {
    return undefined
  }
}
