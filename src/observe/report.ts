/** What came of a run: the form of the report, and the sentence that names its bottleneck. */
import type { Diagnosis } from './diagnosis.ts'
import type { Failure } from './failure.ts'
import type { HopAdvice } from './hop-advice.ts'

export type RunOutcome = 'completed' | 'drained' | 'aborted' | 'failed'

export interface StageReport {
  name: string
  host: string
  /** How many it has; at the end of the run, how many it had. */
  workers: number
  /** Items that were put into its queues; a source has none. `in` = done + dropped + failed + abandoned + inDoubt. */
  in?: number
  /** Records it put into the queues after it; a sink: items it delivered. */
  out: number
  /** Items that became their outputs, however many those were. */
  done: number
  /** Items that it let go, or that made room in its queues for newer ones. */
  dropped: number
  failed: number
  /** Items left in its queues, or whose output nobody took. */
  abandoned: number
  /** Items that a sink had in hand when its worker died. */
  inDoubt: number
  /** Tries of items after their first. */
  retried: number
  /** How often its workers were started again. */
  restarts: number
  /** Items that found its queues full and were dropped, or that were dropped to make room: see `overflow`. */
  overflowed: number
  /** Time of all its workers together. */
  busyMs: number
  starvedMs: number
  blockedMs: number
  /** What `ctx.alloc` gave its workers, if they asked for any. */
  slabs?: SlabReport
  /**
   * How long its workers worked on an item, in milliseconds, each try by itself: half of them no longer than `p50`, all
   * but one in a hundred no longer than `p99`. Quick items by samples. Not of sources, nor where nothing was measured.
   */
  service?: { mean: number; p50: number; p99: number }
  /** Of each worker, if there was more than one. */
  perWorker?: WorkerReport[]
}

/** Memory that was passed on by reference, of all workers of a stage together. */
export interface SlabReport {
  /** Slabs given. */
  allocated: number
  /** Times that there was none, and ordinary memory was given instead. */
  copied: number
  /** Times that a worker waited for one to come back. */
  waits: number
  /** Bytes they took, at most. */
  bytes: number
  /** Slabs that items refer to which are still in a queue, or in hand. */
  inUse: number
  /** Slabs that were asked for and not passed on yet; at the end of the run: lost. */
  held: number
}

export interface WorkerReport {
  /** Number within the stage, from 0. */
  worker: number
  in?: number
  out: number
  busyMs: number
  starvedMs: number
  blockedMs: number
  restarts: number
}

export interface QueueReport {
  from: string
  to: string
  /** Which branch of `from`, if it splits. */
  branch?: string
  capacity: number
  /** Most items seen in it. */
  peak: number
  /** Items that went through it. */
  passed: number
  /** Items that it had no room for, or that made room for others. */
  dropped: number
}

/** A deadline of the run that passed, and what waited on what then. */
export interface Overdue {
  deadline: 'startMs' | 'drainMs' | 'abortMs' | 'terminateMs'
  /** How long it was, in milliseconds. */
  afterMs: number
  diagnosis: Diagnosis
}

export interface Report {
  schema: 'millrace.report/1'
  pipeline: string
  outcome: RunOutcome
  /** Why it was drained or aborted, if it was. */
  reason?: string
  elapsedMs: number
  stages: StageReport[]
  queues: QueueReport[]
  failures: Failure[]
  /** Deadlines that passed before it ended, if any did. */
  overdue?: Overdue[]
  bottleneck: { stage: string; why: string } | null
  /** Stages whose hop costs more than the work that it moves to another thread; known after some 60,000 quick items. */
  advice: HopAdvice[]
}

/** The stage that was busy for the largest part of its time: making it faster makes the run faster. */
export function findBottleneck(stages: readonly StageReport[]): Report['bottleneck'] {
  // A run that was stopped before its first item has none.
  if (stages.every((stage) => stage.out === 0)) return null
  let best: StageReport | undefined
  for (const stage of stages) {
    if (lifeMs(stage) > 0 && (best === undefined || busyShare(stage) > busyShare(best))) best = stage
  }
  if (best === undefined) return null
  const busy = percent(best.busyMs, lifeMs(best))
  const workers = best.workers === 1 ? '' : `${best.workers} workers, `
  const why =
    `${workers}busy ${busy} of ${best.workers === 1 ? 'its' : 'their'} time, waiting for items ${percent(best.starvedMs, lifeMs(best))}` +
    `, waiting for room ${percent(best.blockedMs, lifeMs(best))}`
  return { stage: best.name, why }
}

function busyShare(stage: StageReport): number {
  return stage.busyMs / lifeMs(stage)
}

function lifeMs(stage: StageReport): number {
  return stage.busyMs + stage.starvedMs + stage.blockedMs
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`
}
