/**
 * A run: starts all stages, joins them with deadlines, drains, aborts, reports.
 *
 * Everything here happens on events (a worker is ready, failed, ended; a signal; a deadline); nothing waits in between.
 * The state moves forward only (state.ts), deadlines are the ladder's (ladder.ts), and the run is settled in one
 * function, `#settle`.
 */
import { EventEmitter } from 'node:events'
import { Deferred } from '../deferred.ts'
import { OUTPUT } from '../define/pipeline.ts'
import { RUN_OPTIONS, type RunOptions } from '../define/stage-options.ts'
import { MillraceError, PipelineError, show } from '../errors.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { Report, RunOutcome } from '../observe/report.ts'
import { checkOptions } from '../plan/check-options.ts'
import { hasOutput } from '../plan/make-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { Crew } from './crew.ts'
import { diagnose } from './diagnose.ts'
import { Ladder } from './ladder.ts'
import { makeReport } from './make-report.ts'
import { RunOutput } from './run-output.ts'
import { handleSignals, type StopSignal } from './signals.ts'
import type { PipelineStage } from './stage.ts'
import { RunState, type RunStateName } from './state.ts'
import { type Wiring, wire } from './wire.ts'

export interface ManagerOptions extends RunOptions {
  /** Name of the run. Default 'pipeline'. */
  name?: string
  /** Aborts the run when it is aborted. */
  signal?: AbortSignal
}

/** What a run is made of, once it is known. */
export interface Preparation {
  wiring: Wiring
  plan?: Plan
}

export interface RunEvents {
  /** The run has moved on. */
  state: [RunStateName]
  failure: [Failure]
  /** SIGINT or SIGTERM came; how many have come so far. */
  signal: [StopSignal, number]
}

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
  readonly #options: Required<RunOptions>
  readonly #userSignal: AbortSignal | undefined
  readonly #state: RunState
  readonly #events = new EventEmitter<RunEvents>()
  readonly #settled = new Deferred<Report>()
  readonly #output: RunOutput<unknown>
  readonly #ladder: Ladder
  readonly #failures: Failure[] = []
  #prepared: Preparation | undefined
  #startedMs = 0
  #startTimer: NodeJS.Timeout | undefined
  #removeSignals = (): void => {}
  /** What made it abort: the first cause decides the outcome. */
  #abortedBy: AbortCause | undefined
  #isJoined = false
  #reason: string | undefined
  #isDrained = false
  #isEndingEarly = false
  #signal: StopSignal | undefined
  #report: Report | undefined
  #crew: Crew | undefined

  /** @throws MILLRACE_INVALID_OPTION, MILLRACE_DUPLICATE_STAGE, MILLRACE_STOP_NOT_LINKED */
  constructor(
    stages: readonly PipelineStage[] | ((output: RunOutput<unknown>) => Preparation | Promise<Preparation>),
    options: ManagerOptions = {},
  ) {
    const { name = 'pipeline', signal, ...run } = options
    this.#options = checkOptions('run', RUN_OPTIONS, run) as unknown as Required<RunOptions>
    this.#userSignal = signal
    if (typeof stages === 'function') this.#prepare = stages
    else {
      const wiring = wire(name, stages)
      this.#prepare = () => ({ wiring })
    }
    this.#state = new RunState((state) => this.#events.emit('state', state))
    this.#output = new RunOutput(this.#settled.promise, () => this.#closeOutput())
    this.#ladder = new Ladder(this.#options, {
      abort: () => this.#onDrainTimeout(),
      terminate: () => this.#crew?.triggerTerminate(),
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
    return this.#report ?? this.#makeReport('completed')
  }

  on<K extends keyof RunEvents>(event: K, listener: (...args: RunEvents[K]) => void): this {
    this.#events.on(event, listener as never)
    return this
  }

  /** Starts every stage. Never throws: `join()` tells what went wrong. */
  start(): this {
    if (!this.#state.advance('starting')) {
      throw new MillraceError('MILLRACE_STATE', `the run was started before: it is ${this.#state.name}`)
    }
    this.#startedMs = performance.now()
    if (this.#options.signals) {
      this.#removeSignals = handleSignals({
        drain: (signal) => this.#onSignal(signal, 1),
        abort: (signal) => this.#onSignal(signal, 2),
      })
    }
    this.#followUserSignal()
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
    this.#isDrained = true
    this.#reason ??= textOf(reason)
    this.#state.advance('draining')
    this.#prepared?.wiring.stop.set('drain')
    this.#ladder.triggerDrain()
    this.#openGates()
  }

  /** Workers stop after the item in hand; what is left is counted as abandoned. Never blocks. */
  abort(reason?: unknown): void {
    this.#abort('request', textOf(reason))
  }

  /** What waits on what, as text. */
  diagnose(): string {
    if (this.#prepared === undefined) return `the run is ${this.#state.name}, its pipeline is being loaded`
    return diagnose(this.#prepared.wiring, this.#state.name)
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
      this.#settled.reject(error)
      return
    }
    // Loading took longer than the deadlines of an abort.
    if (this.#state.is('ended')) return
    this.#prepared = prepared
    const { stages, stop } = prepared.wiring
    this.#crew = new Crew(stages, {
      ready: () => this.#openGates(),
      failed: (failure) => this.#onFailure(failure),
      ended: (stage) => this.#onEnded(stage),
    })
    if (this.#state.is('aborting')) {
      this.#crew.cancel()
      this.#settle()
      return
    }
    if (this.#state.is('draining')) stop.set('drain')
    stop.signalAt('drain').addEventListener('abort', () => this.#onStopSet())
    stop.signalAt('abort').addEventListener('abort', () => this.#onStopSet())
    this.#startTimer = setTimeout(() => this.#onStartTimeout(), Math.min(this.#options.startMs, 2 ** 31 - 1))
    this.#crew.launch()
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

  #onEnded(stage: PipelineStage): void {
    if (this.#state.is('running') && this.#crew?.hasWorkBefore(stage)) this.#endEarly(stage)
    this.#openGates()
    if (this.#crew?.hasEnded) this.#settle()
  }

  /** It ended the stream from its place: whatever upstream still reads, nobody will take. */
  #endEarly(stage: PipelineStage): void {
    this.#isEndingEarly = true
    this.#prepared?.wiring.stop.set('drain')
    // Before the last stage has ended, something is still on its way to it, and takes as long as it takes.
    if (stage === this.stages.at(-1)) this.#ladder.triggerDrain()
  }

  #onDrainTimeout(): void {
    const isDelivered = this.#isEndingEarly && this.stages.at(-1)?.hasEnded
    if (isDelivered) this.#abort('early end')
    else this.#abort('request', `the drain took longer than ${this.#options.drainMs} ms`)
  }

  #onFailure(failure: Failure): void {
    this.#noteFailure(failure)
    this.#abort('failure')
  }

  #noteFailure(failure: Failure): void {
    this.#failures.push(failure)
    this.#events.emit('failure', failure)
  }

  /** Someone else set the stop event: a worker that failed, a reader of stdout that left, the user. */
  #onStopSet(): void {
    const stop = this.#prepared?.wiring.stop
    if (stop?.isSet) this.#abort('someone', 'the stop event was set')
    else if (!this.#isEndingEarly) this.drain(this.#whyDrain())
  }

  #whyDrain(): string {
    const isUnread = this.stages.some((stage) => stage.counters?.isUnread)
    return isUnread ? 'nobody reads standard output any more' : 'the stop event was set to drain'
  }

  #onSignal(signal: StopSignal, count: number): void {
    this.#signal ??= signal
    this.#events.emit('signal', signal, count)
    if (count === 1) this.drain(signal)
    else this.#abort('request', `${signal} again`)
  }

  #onStartTimeout(): void {
    for (const failure of this.#crew?.late(this.#options.startMs) ?? []) this.#onFailure(failure)
  }

  #abort(cause: AbortCause, reason?: string): void {
    if (!this.#state.canBecome('aborting')) return
    this.#abortedBy = cause
    if (reason !== undefined) this.#reason = reason
    this.#state.advance('aborting')
    clearTimeout(this.#startTimer)
    this.#prepared?.wiring.stop.set('abort')
    this.#output.release()
    this.#ladder.triggerAbort()
    this.#openGates()
  }

  /** The last rung: neither native code nor a function on the loop can be ended from here. */
  #giveUp(): void {
    for (const failure of this.#crew?.stuck(this.#options.terminateMs) ?? []) this.#noteFailure(failure)
    this.#settle()
  }

  #settle(): void {
    if (!this.#state.canBecome('ended')) return
    const report = this.#makeReport(this.#outcome())
    this.#report = report
    this.#prepared?.wiring.stop.release()
    this.#cleanUp()
    this.#state.advance('ended')
    if (report === undefined) {
      this.#settled.reject(
        new MillraceError('MILLRACE_ABORTED', 'aborted while the pipeline was being loaded'),
      )
    } else if (report.outcome !== 'failed') this.#settled.resolve(report)
    else this.#settled.reject(new PipelineError(this.#failures[0].message, this.#failures, report))
  }

  #outcome(): RunOutcome {
    // A worker that fails sets the stop event itself; word of its failure may come after that.
    const isFailed = this.#failures.some((failure) => !ENDED_BY_US.has(failure.code))
    if (this.#abortedBy === 'failure' || (this.#abortedBy === 'someone' && isFailed)) return 'failed'
    // What was stuck upstream was to give nothing more: all that anyone wanted has been delivered.
    if (this.#abortedBy !== undefined && this.#abortedBy !== 'early end') return 'aborted'
    return this.#isDrained ? 'drained' : 'completed'
  }

  #makeReport(outcome: RunOutcome): Report | undefined {
    if (this.#prepared === undefined) return undefined
    const elapsedMs = performance.now() - this.#startedMs
    // A failed run's reason is its failures.
    const reason = outcome === 'failed' ? undefined : this.#reason
    return makeReport(this.#prepared.wiring, { outcome, reason, elapsedMs, failures: this.#failures })
  }

  #cleanUp(): void {
    this.#ladder.clear()
    clearTimeout(this.#startTimer)
    this.#removeSignals()
    this.#userSignal?.removeEventListener('abort', this.#onUserAbort)
  }

  readonly #onUserAbort = (): void => this.abort(this.#userSignal?.reason)

  #followUserSignal(): void {
    if (this.#userSignal?.aborted) this.#onUserAbort()
    else this.#userSignal?.addEventListener('abort', this.#onUserAbort)
  }

  /** The caller reads no more: the last queue is closed, its stage ends, and with it what is upstream. */
  #closeOutput(): void {
    this.stages.at(-1)?.input?.close()
  }

  /** Joined, and nobody reads the outputs: it would never end. Whoever means to may begin in this same turn. */
  #refuseUnread(): void {
    const plan = this.#prepared?.plan
    if (!this.#isJoined || plan === undefined || !hasOutput(plan)) return
    setImmediate(() => {
      if (this.#output.isRead || this.#state.is('ended')) return
      const unread = new MillraceError(
        'MILLRACE_OUTPUT_UNREAD',
        'nobody reads its outputs: read the outputs with "for await" before, or at the same time as, join()',
      )
      this.#onFailure(
        makeFailure('MILLRACE_OUTPUT_UNREAD', 'is not read', { stage: OUTPUT, worker: 0 }, unread),
      )
    })
  }
}

/** What made a run abort: a failure, its owner or a deadline, the stop event, or that nobody takes what is left. */
type AbortCause = 'failure' | 'request' | 'someone' | 'early end'

/** What happens to workers only because we end them. */
const ENDED_BY_US = new Set(['MILLRACE_WORKER_TERMINATED', 'MILLRACE_WORKER_STUCK'])

function textOf(reason: unknown): string | undefined {
  if (reason === undefined || typeof reason === 'string') return reason
  return reason instanceof Error ? reason.message : show(reason)
}
