/** What came of a run: the form of the report, and the sentence that names its bottleneck. */
import type { Failure } from './failure.ts'

export type RunOutcome = 'completed' | 'drained' | 'aborted' | 'failed'

export interface StageReport {
  name: string
  host: string
  workers: number
  /** Items that were put into its queue; a source has none. */
  in?: number
  /** Items it put into the next queue; a sink: items it delivered. */
  out: number
  dropped: number
  failed: number
  /** Items left in its queue, or whose output nobody took. */
  abandoned: number
  /** Items that a sink had in hand when its worker died. */
  inDoubt: number
  busyMs: number
  starvedMs: number
  blockedMs: number
}

export interface QueueReport {
  from: string
  to: string
  capacity: number
  /** Most items seen in it. */
  peak: number
  /** Items that went through it. */
  passed: number
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
  bottleneck: { stage: string; why: string } | null
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
  const why =
    `busy ${busy} of its time, waiting for items ${percent(best.starvedMs, lifeMs(best))}` +
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
