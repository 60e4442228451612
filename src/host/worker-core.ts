/**
 * What all loops of a worker share: its queues, its counters, how it fails and how it leaves.
 */
import { CRASH } from '../define/crash.ts'
import type { StageDefinition } from '../define/pipeline.ts'
import { ADVICE, MillraceError, type MillraceErrorCode } from '../errors.ts'
import { ABANDONED, FAILED, HELD, type Outcome, sharedNowMs, WorkerCounters } from '../observe/counters.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { PlannedStage } from '../plan/plan.ts'
import type { Doorbell } from '../queue/doorbell.ts'
import type { InputReader } from '../queue/input-reader.ts'
import { Slabs } from '../queue/slabs.ts'
import { StopEvent } from '../queue/stop-event.ts'
import { Activity } from './activity.ts'
import { type BoundStage, bindStage } from './bind-stage.ts'
import { ItemTracer } from './item-tracer.ts'
import { logToRun, logToStderr } from './log.ts'
import type { Ear } from './notice.ts'
import { OutputQueue } from './output-queue.ts'
import { Outputs } from './outputs.ts'
import type { ProxySteps } from './process/process-proxy.ts'
import { ServiceClock } from './service-clock.ts'
import { StageControl } from './stage-control.ts'
import { Waiting } from './waiting.ts'
import { WorkerContext } from './worker-context.ts'
import { lanesInto, openReader, openWriter } from './worker-ends.ts'
import type { OnFailure } from './worker-life.ts'
import type { OutputTask, WorkerTask } from './worker-task.ts'

/** What the host of a worker brings. */
export interface WorkerHost {
  /** Set where the worker has a thread of its own, which it may block: see `Waiting`. */
  baseline: number | undefined
  /** Everything is opened; resolves when the run begins. */
  ready: () => Promise<void>
  /** Told of each failure. */
  fail: OnFailure
  /** Makes what is called in place of a stage that runs elsewhere. */
  bind?: (steps: ProxySteps) => BoundStage
  /** What the run wants to hear; none: nothing, and the log goes to stderr. */
  ear?: Ear | undefined
  /** Ends the worker, so that its next life goes on; none where there is no other life for it. */
  die?: (death: Failure) => void
}

/** Items that a stage in a process is sent while it works on others: it need not wait for the next. */
const AHEAD = 15

/** `madeBy` of what no item gave; those just below it are of what `flush` gave. No ticket is so high. */
export const FLUSH = 0xffffffff

export class WorkerCore {
  readonly task: WorkerTask
  readonly host: WorkerHost
  readonly definition: StageDefinition
  readonly plan: PlannedStage
  readonly bound: BoundStage
  /** The stage's functions run in another process. */
  readonly isRemote: boolean
  /** Units that it may have in hand. */
  readonly inHandLimit: number
  readonly context: WorkerContext
  readonly counters: WorkerCounters
  readonly activity: Activity
  /** None: its stage runs elsewhere. */
  readonly service: ServiceClock | undefined
  readonly stop: StopEvent
  readonly control: StageControl
  readonly waiting: Waiting
  readonly bell: Doorbell
  readonly reader: InputReader | undefined
  readonly slabs: Slabs | undefined
  readonly outputs: Outputs
  readonly deadLetters: OutputQueue | undefined
  readonly isSink: boolean
  /** The stream ends here: the stage gave SENTINEL, or nobody reads its outputs any more. */
  isOver = false
  hasFailed = false
  /** Its loop publishes what is ready before it waits. */
  isPublishing = false
  /** Why this life of it is over, once what it has ready is published. */
  doom: unknown
  /** It was told to finish what it has: another worker will, or none need, go on. */
  isRetired = false

  constructor(task: WorkerTask, definitions: readonly StageDefinition[], host: WorkerHost) {
    const definition = definitions.find(({ name }) => name === task.place.stage)
    if (definition === undefined) {
      throw new MillraceError(
        'MILLRACE_STAGE_NOT_FOUND',
        `pipeline "${task.place.pipeline}" has no stage "${task.place.stage}" when it is built in a worker`,
        { stage: task.place.stage },
      )
    }
    this.task = task
    this.host = host
    this.definition = definition
    this.plan = task.stage
    this.stop = StopEvent.from(task.stop)
    this.isRemote = host.bind !== undefined
    this.bound =
      host.bind?.({ definition, stop: this.stop, crash: (error, isAtOnce) => this.crash(error, isAtOnce) }) ??
      bindStage(definition)
    this.inHandLimit = this.#inHandLimit()
    this.counters = new WorkerCounters(task.counters, task.index)
    this.activity = new Activity(this.counters)
    this.control = new StageControl(task.control.memory, task.control.index)
    this.waiting = new Waiting(host.baseline)
    this.bell = this.stop.doorbell(task.bell)
    this.bell.allowSpinning(task.spins)
    const level = definition.kind === 'source' ? 'drain' : 'abort'
    const { levels, tell, trace } = host.ear ?? {}
    const makeLog = tell && levels ? logToRun(tell, levels) : logToStderr(this.counters)
    const isTimed = task.stage.timeoutMs !== undefined
    this.slabs = this.#makeSlabs(task)
    this.context = new WorkerContext(task.place, this.stop, level, makeLog, isTimed, this.slabs, trace)
    const tracer = tell && trace && new ItemTracer(tell, trace)
    this.service = this.isRemote ? undefined : new ServiceClock(this.counters, tracer)
    if (host.die !== undefined) this.context[CRASH] = (error) => this.crash(error)
    this.reader = openReader(task, { bell: this.bell, stop: this.stop, slabs: this.slabs })
    const isBatched = (to: string): boolean =>
      definitions.find(({ name }) => name === to)?.batch !== undefined
    const open = (output: OutputTask): OutputQueue =>
      new OutputQueue(
        this,
        openWriter(task, output, definitions, this.slabs),
        output.branch,
        isBatched(output.to),
      )
    this.outputs = new Outputs(task.outputs.map(open), {
      stage: task.place.stage,
      split: definition.split,
      choose: definition.choose as ((value: unknown) => unknown) | undefined,
      isNumbered: task.stage.numbering === 'own',
      slabs: this.slabs,
    })
    this.deadLetters = task.deadLetters && open(task.deadLetters)
    this.isSink = definition.kind === 'sink'
  }

  /** Whether it has, or may have, several items in hand. */
  get hasUnits(): boolean {
    return this.inHandLimit > 1 || this.plan.batch !== undefined
  }

  /** Operators that are still to be applied to what the stage gives. */
  get operators(): StageDefinition['operators'] {
    const { kind, operators } = this.definition
    return kind === 'sink' || (this.isRemote && kind === 'stage') ? [] : operators
  }

  /**
   * What the stage works with is gone: the worker ends, so that its next life goes on. What is ready to be published
   * is published first.
   */
  crash(error: unknown, isAtOnce = false): void {
    if (this.doom !== undefined) return
    this.doom = error
    if (this.isPublishing && !isAtOnce) this.bell.ring()
    else this.dieIfDoomed()
  }

  dieIfDoomed(): void {
    if (this.doom === undefined) return
    const item = this.counters.inHand
    const death = this.failure('MILLRACE_WORKER_DIED', 'died', this.doom, item === 0 ? undefined : item)
    if (this.host.die !== undefined) this.host.die(death)
    else this.fail('MILLRACE_WORKER_DIED', 'died', this.doom)
  }

  /** Whether to take no further item. */
  get isLeaving(): boolean {
    return this.isOver || this.stop.isSet || this.isGone
  }

  /** Whether something keeps it from going straight on to the next item. As of a moment ago: no answer for a wait. */
  get isInterrupted(): boolean {
    return this.isOver || this.isGone || this.stop.peekSet || !this.control.peekFree
  }

  /** It has died, though its thread goes on: it touches nothing any more. */
  get isGone(): boolean {
    return this.waiting.isGone
  }

  /** Only where it shares its thread; a thread of its own is ended. */
  abandon(): void {
    this.waiting.abandon()
    this.bell.ring()
  }

  /** Nobody reads its outputs any more. */
  get isRefused(): boolean {
    return this.outputs.areRefused
  }

  /**
   * Whether the item is left in its queue: the run did not bring it to its end. It was abandoned, or failed and ended the
   * run. To its source it is not final: it is not acknowledged, and no checkpoint lies behind it.
   */
  isLeft(outcome: Outcome): boolean {
    if (outcome === ABANDONED && this.isRefused) this.isOver = true
    return outcome === ABANDONED ? this.isLeaving : outcome === FAILED && this.hasFailed
  }

  /** Takes note, now and then, of workers downstream that came or go; asked in every wait. */
  refresh(): void {
    this.outputs.refresh()
    this.deadLetters?.writer.refresh()
  }

  /** Whether a pause or the end of the stage keeps it from taking the next item. */
  get isHeld(): boolean {
    return !this.control.isFree
  }

  /** Waits out a pause; takes note of the end of the stage. */
  async holdOn(): Promise<void> {
    if (this.control.isOver) {
      this.isOver = true
      return
    }
    this.outputs.flush()
    await this.waiting.wait(
      this.bell,
      () => !this.control.isPaused || this.control.isOver || this.stop.isDraining,
    )
    if (this.stop.isDraining) this.control.setPaused(false)
  }

  /** The stage ends the stream here; its other workers stop too. */
  end(): void {
    this.isOver = true
    if (this.plan.maxWorkers === 1) return
    this.control.setOver()
    this.stop.ringAll()
  }

  async attempt(code: MillraceErrorCode, doing: string, action: () => unknown): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      this.fail(code, doing, error)
      return false
    }
  }

  /** Tells of the failure, then sets the stop: whoever sees the stop can already know why. */
  fail(code: MillraceErrorCode, doing: string, error: unknown, item?: number, attempts?: number): void {
    this.hasFailed = true
    this.isOver = true
    this.host.fail(this.failure(code, doing, error, item, attempts), false)
    this.stop.set('abort')
  }

  failure(code: MillraceErrorCode, doing: string, error: unknown, item?: number, attempts = 1): Failure {
    const { stage, worker } = this.context
    const place = { stage, worker, ...(item === undefined ? {} : { item }) }
    const ownCode = (code === 'MILLRACE_BUG' ? undefined : codeOf(error)) ?? code
    const failure = makeFailure(ownCode, doing, place, error)
    return attempts > 1 ? { ...failure, attempts } : failure
  }

  /** SENTINEL after an orderly end; after anything else the neighbours learn that this end is gone. */
  leave(): void {
    if (this.isRetired) {
      this.reader?.park()
      this.outputs.park()
      this.deadLetters?.writer.park()
      return
    }
    this.reader?.leave()
    if (this.hasFailed || this.stop.isSet) {
      this.outputs.leave()
      this.deadLetters?.writer.leave()
      return
    }
    this.outputs.putEnd()
    this.deadLetters?.writer.putEnd({ item: 0, source: 0, order: 0, madeBy: FLUSH, part: 0 })
  }

  startClock(): void {
    this.counters.startClock(sharedNowMs())
  }

  #inHandLimit(): number {
    const { plan, task } = this
    const { concurrency } = plan
    // The deadline of an item begins when the process has it; a claimed item is the only one.
    const isExact =
      plan.timeoutMs !== undefined || task.inputs.some(({ overflow }) => overflow === 'drop-old')
    return this.isRemote && !isExact && plan.batch === undefined ? concurrency + AHEAD : concurrency
  }

  #makeSlabs(task: WorkerTask): Slabs | undefined {
    if (task.slabs === undefined) return undefined
    return new Slabs(task.slabs, {
      doorbell: (number) => this.stop.doorbell(number),
      inputs: () => lanesInto(task),
      // What comes from a slab can go back only by threads that go on: the caller's loop must not be kept from that.
      wait: this.host.baseline === undefined ? undefined : (isReady) => this.#waitForSlab(isReady),
      copies: this.plan.builtin === 'output',
    })
  }

  /** Whoever called `alloc` is in the middle of something: the thread is blocked, whatever else it has to do. */
  #waitForSlab(isReady: () => boolean): void {
    this.outputs.flush()
    this.deadLetters?.writer.flush()
    const { phase } = this.counters
    const since = performance.now()
    this.counters.phase = HELD
    this.bell.waitSync(() => isReady() || this.stop.isSet)
    this.counters.addBlocked(performance.now() - since)
    this.counters.phase = phase
  }
}

/** The code of an error of our own. User code may throw what cannot even be looked at. */
export function codeOf(error: unknown): MillraceErrorCode | undefined {
  try {
    return error instanceof MillraceError && Object.hasOwn(ADVICE, error.code) ? error.code : undefined
  } catch {
    return undefined
  }
}
