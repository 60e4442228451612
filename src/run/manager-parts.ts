/** What a run may be told, what it tells, and what it comes to. */
import { OUTPUT } from '../define/pipeline.ts'
import type { RunOptions } from '../define/stage-options.ts'
import { MillraceError, PipelineError, show } from '../errors.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { Overdue, Report, RunOutcome } from '../observe/report.ts'
import type { Plan } from '../plan/plan.ts'
import type { StopSignal } from './signals.ts'
import type { RunStateName } from './state.ts'
import type { StuckItem } from './watchdog.ts'
import type { Wiring } from './wire.ts'

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

/** A worker died, and is started again. */
export interface WorkerRestart {
  stage: string
  worker: number
  /** Number, at its source, of the item that it had in hand. */
  item?: number
  /** Why it died. */
  death: Failure
  /** How long it rests before, in milliseconds. */
  delayMs: number
}

export interface RunEvents {
  /** The run has moved on. */
  state: [RunStateName]
  /** Something failed: the run, or an item of a stage that goes on. */
  failure: [Failure]
  restart: [WorkerRestart]
  /** An item has been in hand for longer than `stuckAfterMs`. Told once for each. */
  stuck: [StuckItem]
  /** A deadline has passed: what waits on what now, before anything is done about it. */
  overdue: [Overdue]
  /** SIGINT or SIGTERM came; how many have come so far. */
  signal: [StopSignal, number]
}

/** What made a run abort: a failure, its owner or a deadline, the stop event, or that nobody takes what is left. */
export type AbortCause = 'failure' | 'request' | 'someone' | 'early end'

/** What happens to workers only because we end them. */
const ENDED_BY_US = new Set(['MILLRACE_WORKER_TERMINATED', 'MILLRACE_WORKER_STUCK'])

export function textOf(reason: unknown): string | undefined {
  if (reason === undefined || typeof reason === 'string') return reason
  return reason instanceof Error ? reason.message : show(reason)
}

export function decideOutcome(
  abortedBy: AbortCause | undefined,
  failures: readonly Failure[],
  isDrained: boolean,
): RunOutcome {
  // A worker that fails sets the stop event itself; word of its failure may come after that.
  const isFailed = failures.some((failure) => !ENDED_BY_US.has(failure.code))
  if (abortedBy === 'failure' || (abortedBy === 'someone' && isFailed)) return 'failed'
  // What was stuck upstream was to give nothing more: all that anyone wanted has been delivered.
  if (abortedBy !== undefined && abortedBy !== 'early end') return 'aborted'
  return isDrained ? 'drained' : 'completed'
}

/** The pipeline has outputs, and the run was joined without reading them. */
export function unreadFailure(): Failure {
  const code = 'MILLRACE_OUTPUT_UNREAD'
  const how = 'read the outputs with "for await" before, or at the same time as, join()'
  const unread = new MillraceError(code, `nobody reads its outputs: ${how}`)
  return makeFailure(code, 'is not read', { stage: OUTPUT, worker: 0 }, unread)
}

/** What `join()` rejects with at the end of the run, if it does. */
export function whyRejected(report: Report | undefined): MillraceError | undefined {
  if (report === undefined) {
    return new MillraceError('MILLRACE_ABORTED', 'aborted while the pipeline was being loaded')
  }
  if (report.outcome !== 'failed') return undefined
  return new PipelineError(report.failures[0].message, report.failures, report)
}
