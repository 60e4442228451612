/** What a run may be told, and what it tells. */
import { OUTPUT } from '../define/pipeline.ts'
import type { RunOptions } from '../define/stage-options.ts'
import { MillraceError } from '../errors.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { Overdue } from '../observe/report.ts'
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

/** The pipeline has outputs, and the run was joined without reading them. */
export function unreadFailure(): Failure {
  const code = 'MILLRACE_OUTPUT_UNREAD'
  const how = 'read the outputs with "for await" before, or at the same time as, join()'
  const unread = new MillraceError(code, `nobody reads its outputs: ${how}`)
  return makeFailure(code, 'is not read', { stage: OUTPUT, worker: 0 }, unread)
}
