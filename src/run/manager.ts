/**
 * A run: starts all stages, joins them with deadlines, drains, aborts, reports.
 *
 * Everything here happens on events (a worker is ready, failed, ended; a signal; a deadline); nothing waits in between.
 * The state moves forward only (state.ts), deadlines are the ladder's (ladder.ts), and the run is settled in one
 * function, `#settle`.
 */
import { setDeadline } from '../deadline.ts'
import { Deferred } from '../deferred.ts'
import { RUN_OPTIONS } from '../define/stage-options.ts'
import { MillraceError } from '../errors.ts'
import { type Diagnosis, renderDiagnosis } from '../observe/diagnosis.ts'
import type { Failure, ItemOrigin } from '../observe/failure.ts'
import type { Overdue, Report } from '../observe/report.ts'
import { checkOptions } from '../plan/check-options.ts'
import { hasOutput } from '../plan/make-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { Announcer } from './announcer.ts'
import { Crew, stuckFailure } from './crew.ts'
import { diagnose } from './diagnose.ts'
import { Ladder, type Rungs } from './ladder.ts'
import { type ManagerOptions, type Preparation, type RunEvents, unreadFailure } from './manager-parts.ts'
import { RunNotices } from './run-notices.ts'
import { RunOutput } from './run-output.ts'
import type { RunQueue } from './run-queue.ts'
import { type AbortCause, RunRecord } from './run-record.ts'
import { followSignal, handleSignals, type StopSignal } from './signals.ts'
import type { PipelineStage } from './stage.ts'
import { RunState, type RunStateName } from './state.ts'
import { Watchdog } from './watchdog.ts'
import { wireParts } from './wire-parts.ts'

export type { ManagerOptions, Preparation, RunEvents, WorkerRestart } from './manager-parts.ts'

/**
 * Runs stages that are joined by queues.
 *
 * @example
 * const run = new PipelineManager([reader, upper, reverse, writer])
 * run.start()
 * const report = await run.join()
 */
export class PipelineManager<Out = unknown> implements AsyncIterable<Out>, AsyncDisposable {
  readonly #prepare: (output: RunOutput<unknown>) => Preparation | Promise<Preparation>
  readonly #options: Rungs & { startMs: number; signals: boolean }
  readonly #userSignal: AbortSignal | undefined
  readonly #state: RunState
  readonly #announcer = new Announcer(this as PipelineManager)
  readonly #settled = new Deferred<Report>()
  readonly #output: RunOutput<unknown>
  readonly #ladder: Ladder
  readonly #record = new RunRecord()
  readonly #name: string
  readonly #notices: RunNotices
  #prepared: Preparation | undefined
  #startTimer: NodeJS.Timeout | undefined
  #removeSignals = (): void => {}
  #forgetUser = (): void => {}
  #isJoined = false
  #isEndingEarly = false
  #signal: StopSignal | undefined
  #crew: Crew | undefined
  #watchdog: Watchdog | undefined
  #isPaused = false

  /** @throws MILLRACE_INVALID_OPTION, MILLRACE_DUPLICATE_STAGE, MILLRACE_STOP_NOT_LINKED */
  constructor(
    stages: readonly PipelineStage[] | ((output: RunOutput<unknown>) => Preparation | Promise<Preparation>),
    options: ManagerOptions = {},
  ) {
    const { name = 'pipeline', signal, ...run } = options
    this.#options = checkOptions('run', RUN_OPTIONS, run) as unknown as Rungs & {
      startMs: number
      signals: boolean
    }
    this.#userSignal = signal
    this.#name = name
    this.#notices = new RunNotices(options.logger, (item) => this.#announcer.traced(item))
    if (typeof stages === 'function') this.#prepare = stages
    else {
      const wiring = wireParts(name, stages)
      this.#prepare = () => ({ wiring })
    }
    this.#state = new RunState((state) => this.#announcer.moved(state, this.#record.reason))
    this.#output = new RunOutput(this.#settled.promise, () => this.#closeOutput())
    this.#ladder = new Ladder(this.#options, {
      abort: () => this.#onDrainTimeout(),
      terminate: () => this.#onAbortTimeout(),
      giveUp: () => this.#giveUp(),
    })
    // Whoever joins hears of a failure; whoever does not must not crash by it.
    this.#settled.promise.catch(() => {})
  }

  get state(): RunStateName {
    return this.#state.name
  }

  /** The stages, once the run is prepared. */
  get stages(): readonly PipelineStage[] {
    return this.#prepared?.wiring.stages ?? []
  }

  /** The queues between them, once the run is prepared. */
  get queues(): readonly RunQueue[] {
    return this.#prepared?.wiring.queues ?? []
  }

  /** The plan, if it was started from a pipeline, once it is prepared. */
  get plan(): Plan | undefined {
    return this.#prepared?.plan
  }

  /** The signal that ended it, if one did. */
  get endedBy(): StopSignal | undefined {
    return this.#signal
  }

  /** The report so far; the final one once the run has ended. Undefined until it is prepared. */
  get report(): Report | undefined {
    return this.#record.report(this.#prepared?.wiring)
  }

  on<K extends keyof RunEvents>(event: K, listener: (...args: RunEvents[K]) => void): this {
    this.#announcer.on(event, listener)
    return this
  }

  /** Starts every stage. Never throws: `join()` tells what went wrong. */
  start(): this {
    if (!this.#state.advance('starting')) {
      throw new MillraceError('MILLRACE_STATE', `the run was started before: it is ${this.#state.name}`)
    }
    this.#record.started()
    this.#announcer.starting()
    if (this.#options.signals) {
      this.#removeSignals = handleSignals({
        drain: (signal) => this.#onSignal(signal, 1),
        abort: (signal) => this.#onSignal(signal, 2),
      })
    }
    this.#forgetUser = followSignal(this.#userSignal, (reason) => this.abort(reason))
    void this.#launch()
    return this
  }

  /**
   * The report, when every stage has ended and every thread is gone. Resolves also for a run that was drained or
   * aborted on request.
   * @throws PipelineError (MILLRACE_RUN_FAILED) with `failures` and `report`; for an invalid pipeline, its own code
   */
  async join(): Promise<Report> {
    if (this.#state.is('planned')) this.start()
    this.#isJoined = true
    this.#refuseUnread()
    return this.#settled.promise
  }

  /** Sources stop reading; what is in flight is finished, within `drainMs`. Never blocks. */
  drain(reason?: unknown): void {
    if (!this.#state.canBecome('draining')) return
    this.#record.drained(reason)
    this.resume()
    this.#state.advance('draining')
    this.#prepared?.wiring.stop.set('drain')
    this.#ladder.triggerDrain()
    this.#openGates()
  }

  /** Workers stop after the item in hand; what is left is counted as abandoned. Never blocks. */
  abort(reason?: unknown): void {
    this.#abort('request', reason)
  }

  /** What waits on what, as text. */
  diagnose(): string {
    return renderDiagnosis(this.diagnosis)
  }

  /** The same as plain data. */
  get diagnosis(): Diagnosis {
    const wiring = this.#prepared?.wiring
    return diagnose({
      pipeline: wiring?.pipeline ?? this.#name,
      state: this.#state.name,
      isPaused: this.#isPaused,
      wiring,
      stuck: this.#watchdog?.stuck ?? [],
    })
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** No stage takes another item until `resume()`, or until the run is drained or aborted. */
  pause(): void {
    if (this.#state.is('planned', 'starting', 'running')) this.#setPaused(true)
  }

  resume(): void {
    if (this.#isPaused) this.#setPaused(false)
  }

  /** The outputs, of a pipeline without a sink. Breaking out of the loop stops upstream. */
  [Symbol.asyncIterator](): AsyncIterator<Out, undefined> {
    this.#output.isRead = true
    if (this.#state.is('planned')) this.start()
    return this.#output as AsyncIterator<Out, undefined>
  }

  /** Aborts the run if it has not ended, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state.is('planned')) return
    this.abort('disposed')
    await this.#settled.promise.catch(() => {})
  }

  async #launch(): Promise<void> {
    let prepared: Preparation
    try {
      prepared = await this.#prepare(this.#output)
    } catch (error) {
      if (this.#state.is('ended')) return
      this.#cleanUp()
      this.#state.advance('ended')
      this.#announcer.ended(undefined, error)
      this.#settled.reject(error)
      return
    }
    // Loading took longer than the deadlines of an abort.
    if (this.#state.is('ended')) return
    this.#prepared = prepared
    const { stages, stop } = prepared.wiring
    this.#crew = new Crew(prepared.wiring, {
      ready: () => this.#openGates(),
      failed: (failure, isItem, origins) =>
        isItem ? this.#onItemFailure(failure, origins) : this.#onFailure(failure),
      restarting: (stage, death, delayMs) => this.#announcer.restarting(stage, death, delayMs),
      mayRestart: () => this.#state.is('running', 'draining'),
      ended: (stage) => this.#onEnded(stage),
      beginning: (stage, life) => {
        const trace = this.#announcer.lifeBegins(stage, life)
        return this.#notices.connect(stage.host !== 'loop', trace)
      },
      over: (stage, life, end) => {
        this.#notices.drain()
        this.#announcer.lifeIsOver(stage, life, end)
      },
    })
    this.#watchdog = this.#makeWatchdog(stages)
    if (this.#isPaused) this.#setPaused(true)
    if (this.#state.is('aborting')) {
      this.#crew.cancel()
      this.#settle()
      return
    }
    if (this.#state.is('draining')) stop.set('drain')
    stop.signalAt('drain').addEventListener('abort', () => this.#heedStop())
    stop.signalAt('abort').addEventListener('abort', () => this.#heedStop())
    this.#startTimer = setDeadline(() => this.#onStartTimeout(), this.#options.startMs)
    this.#crew.launch()
    this.#watchdog.start()
    // The caller left while the pipeline was being loaded.
    if (this.#output.isOver) this.#closeOutput()
    this.#refuseUnread()
  }

  /** The source reads nothing before every stage is open; a stop lets everyone through to their end. */
  #openGates(): void {
    const isStopping = this.#state.is('draining', 'aborting')
    if (!isStopping && !this.#crew?.isReady) return
    clearTimeout(this.#startTimer)
    this.#crew?.triggerStart()
    if (!isStopping) this.#state.advance('running')
  }

  #makeWatchdog(stages: readonly PipelineStage[]): Watchdog {
    const { terminateMs } = this.#options
    return new Watchdog(stages, terminateMs, {
      late: (_, worker, timeoutMs) => worker.triggerReplace(timeoutMs),
      unstoppable: (stage, worker) => this.#onFailure(stuckFailure(stage, worker, terminateMs)),
      stuck: (stuck) => this.#announcer.stuck(stuck),
    })
  }

  #setPaused(is: boolean): void {
    this.#isPaused = is
    for (const stage of this.stages) stage.setPaused(is)
    this.#prepared?.wiring.stop.ringAll()
  }

  #onEnded(stage: PipelineStage): void {
    // Word of it comes with a turn of the loop: the stages that left because of it may have ended before.
    this.#heedStop()
    const early = this.#state.is('running') ? this.#crew?.earlyEnd(stage) : undefined
    if (early?.isForAll) this.#endEarly(early.isDelivered)
    this.#openGates()
    if (this.#crew?.hasEnded) this.#settle()
  }

  /** The stream was ended downstream of every source: whatever they still read, nobody will take. */
  #endEarly(isDelivered: boolean): void {
    this.#isEndingEarly = true
    this.#prepared?.wiring.stop.set('drain')
    // Before the last sink has ended, something is still on its way to it, and takes as long as it takes.
    if (isDelivered) this.#ladder.triggerDrain()
  }

  /** Before anything is done about it: afterwards it looks different. */
  #noteOverdue(deadline: Overdue['deadline']): void {
    const overdue = { deadline, afterMs: this.#options[deadline], diagnosis: this.diagnosis }
    this.#record.overdue(overdue)
    this.#announcer.overdue(overdue)
  }

  #onAbortTimeout(): void {
    this.#noteOverdue('abortMs')
    this.#crew?.triggerTerminate()
  }

  #onDrainTimeout(): void {
    this.#noteOverdue('drainMs')
    const isDelivered = this.#isEndingEarly && this.#crew?.isDelivered
    if (isDelivered) this.#abort('early end')
    else this.#abort('request', `the drain took longer than ${this.#options.drainMs} ms`)
  }

  /** An item failed, and its stage goes on: unless there were too many. */
  #onItemFailure(failure: Failure, origins: readonly ItemOrigin[] = []): void {
    const { plan } = this.stages.find(({ name }) => name === failure.stage) ?? {}
    const tooMany = this.#record.failures.noteItem(failure, plan, performance.now())
    // What a source could not acknowledge is its own failure, and no news to it.
    if (failure.code !== 'MILLRACE_ACK_FAILED') this.#crew?.tellSources(failure, origins)
    this.#announcer.itemFailed(failure, plan?.onError === 'dead-letter')
    if (tooMany !== undefined) this.#onFailure(tooMany)
  }

  #onFailure(failure: Failure): void {
    this.#noteFailure(failure)
    this.#abort('failure')
  }

  #noteFailure(failure: Failure): void {
    this.#record.failures.fatal.push(failure)
    this.#announcer.failed(failure)
  }

  /** If someone else set the stop event: a worker that failed, a reader of stdout that left, the user. */
  #heedStop(): void {
    const stop = this.#prepared?.wiring.stop
    if (stop?.isSet) this.#abort('someone', 'the stop event was set')
    else if (stop?.isDraining && !this.#isEndingEarly) this.drain(this.#whyDrain())
  }

  #whyDrain(): string {
    const isUnread = this.stages.some((stage) => stage.counters?.isUnread)
    return isUnread ? 'nobody reads standard output any more' : 'the stop event was set to drain'
  }

  #onSignal(signal: StopSignal, count: number): void {
    this.#signal ??= signal
    this.#announcer.signalled(signal, count)
    if (count === 1) this.drain(signal)
    else this.#abort('request', `${signal} again`)
  }

  #onStartTimeout(): void {
    this.#noteOverdue('startMs')
    for (const failure of this.#crew?.late(this.#options.startMs) ?? []) this.#onFailure(failure)
  }

  #abort(cause: AbortCause, reason?: unknown): void {
    if (!this.#state.canBecome('aborting')) return
    this.#record.aborted(cause, reason)
    this.#state.advance('aborting')
    clearTimeout(this.#startTimer)
    this.#watchdog?.stop()
    this.resume()
    this.#prepared?.wiring.stop.set('abort')
    this.#crew?.cancelRestarts()
    this.#output.release()
    this.#ladder.triggerAbort()
    this.#openGates()
  }

  /** The last rung: neither native code nor a function on the loop can be ended from here. */
  #giveUp(): void {
    this.#noteOverdue('terminateMs')
    for (const failure of this.#crew?.stuck(this.#options.terminateMs) ?? []) {
      if (!this.#record.isTold(failure)) this.#noteFailure(failure)
    }
    this.#settle()
  }

  #settle(): void {
    if (!this.#state.canBecome('ended')) return
    this.#notices.close()
    const { report, error } = this.#record.ended(this.#prepared?.wiring)
    this.#prepared?.wiring.stop.release()
    this.#cleanUp()
    this.#state.advance('ended')
    this.#announcer.ended(report, error)
    if (error === undefined && report !== undefined) this.#settled.resolve(report)
    else this.#settled.reject(error)
  }

  #cleanUp(): void {
    this.#ladder.clear()
    this.#watchdog?.stop()
    clearTimeout(this.#startTimer)
    this.#removeSignals()
    this.#forgetUser()
  }

  /** The caller reads no more: the queues to it are closed, their stages end, and with them what is upstream. */
  #closeOutput(): void {
    for (const { plan, inputs } of this.stages) {
      if (plan?.builtin === 'output') for (const { memory } of inputs) memory.close()
    }
  }

  /** Joined, and nobody reads the outputs: it would never end. Whoever means to may begin in this same turn. */
  #refuseUnread(): void {
    const plan = this.#prepared?.plan
    if (!this.#isJoined || plan === undefined || !hasOutput(plan)) return
    setImmediate(() => {
      if (this.#output.isRead || this.#state.is('ended')) return
      this.#onFailure(unreadFailure())
    })
  }
}
