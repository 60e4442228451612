/** What has happened in a run so far, and what that comes to: its outcome, its reason, its report. It decides nothing. */
import { noteUse } from '../code/uses.ts'
import { MillraceError, PipelineError, show } from '../errors.ts'
import type { Failure } from '../observe/failure.ts'
import type { Overdue, Report, RunOutcome } from '../observe/report.ts'
import { makeReport } from './make-report.ts'
import { RunFailures } from './run-failures.ts'
import type { Wiring } from './wire.ts'

/** What made a run abort: a failure, its owner or a deadline, the stop event, or that nobody takes what is left. */
export type AbortCause = 'failure' | 'request' | 'someone' | 'early end'

/** What happens to workers only because we end them. */
const ENDED_BY_US = new Set(['MILLRACE_WORKER_TERMINATED', 'MILLRACE_WORKER_STUCK'])

export class RunRecord {
  readonly failures = new RunFailures()
  readonly #overdue: Overdue[] = []
  #startedMs = 0
  #reason: string | undefined
  /** The first cause decides the outcome. */
  #abortedBy: AbortCause | undefined
  #isDrained = false
  #final: Report | undefined

  /** Why it is being stopped, in the words of who did it. */
  get reason(): string | undefined {
    return this.#reason
  }

  started(): void {
    this.#startedMs = performance.now()
  }

  /** Of several reasons the first is kept. */
  drained(reason: unknown): void {
    this.#isDrained = true
    this.#reason ??= textOf(reason)
  }

  /** An abort has its own reason, whatever it was drained for. */
  aborted(cause: AbortCause, reason: unknown): void {
    this.#abortedBy = cause
    this.#reason = textOf(reason) ?? this.#reason
  }

  overdue(overdue: Overdue): void {
    this.#overdue.push(overdue)
  }

  /** Whether this worker has been told of by this code. */
  isTold({ code, stage, worker }: Failure): boolean {
    return this.failures.fatal.some(
      (told) => told.code === code && told.stage === stage && told.worker === worker,
    )
  }

  /** The report so far; the final one once there is one. */
  report(wiring: Wiring | undefined): Report | undefined {
    return this.#final ?? this.#makeReport(wiring, 'completed')
  }

  /** The run has ended: its report, and what `join()` rejects with, if it does. */
  ended(wiring: Wiring | undefined): { report: Report | undefined; error: MillraceError | undefined } {
    const report = this.#makeReport(wiring, this.#outcome())
    this.#final = report
    const error = whyRejected(report)
    if (error === undefined) noteUse(`run ${report?.outcome}`)
    return { report, error }
  }

  #makeReport(wiring: Wiring | undefined, outcome: RunOutcome): Report | undefined {
    if (wiring === undefined) return undefined
    const elapsedMs = performance.now() - this.#startedMs
    // A failed run's reason is its failures.
    const reason = outcome === 'failed' ? undefined : this.#reason
    return makeReport(wiring, {
      outcome,
      reason,
      elapsedMs,
      failures: this.failures.all,
      overdue: this.#overdue,
    })
  }

  #outcome(): RunOutcome {
    // A worker that fails sets the stop event itself; word of its failure may come after that.
    const isFailed = this.failures.fatal.some(({ code }) => !ENDED_BY_US.has(code))
    if (this.#abortedBy === 'failure' || (this.#abortedBy === 'someone' && isFailed)) return 'failed'
    // What was stuck upstream was to give nothing more: all that anyone wanted has been delivered.
    if (this.#abortedBy !== undefined && this.#abortedBy !== 'early end') return 'aborted'
    return this.#isDrained ? 'drained' : 'completed'
  }
}

function textOf(reason: unknown): string | undefined {
  if (reason === undefined || typeof reason === 'string') return reason
  return reason instanceof Error ? reason.message : show(reason)
}

function whyRejected(report: Report | undefined): MillraceError | undefined {
  if (report === undefined) {
    return new MillraceError('MILLRACE_ABORTED', 'aborted while the pipeline was being loaded')
  }
  if (report.outcome !== 'failed') return undefined
  return new PipelineError(report.failures[0].message, report.failures, report)
}
