/** The report of a run, from what its stages and queues counted. */
import { sharedNowMs } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import { findBottleneck, type Report, type RunOutcome, type StageReport } from '../observe/report.ts'
import type { PipelineStage } from './stage.ts'
import type { Wiring } from './wire.ts'

export interface RunFacts {
  outcome: RunOutcome
  reason: string | undefined
  elapsedMs: number
  failures: readonly Failure[]
}

export function makeReport(wiring: Wiring, facts: RunFacts): Report {
  const stages = wiring.stages.map(reportStage)
  return {
    schema: 'millrace.report/1',
    pipeline: wiring.pipeline,
    outcome: facts.outcome,
    ...(facts.reason === undefined ? {} : { reason: facts.reason }),
    elapsedMs: round(facts.elapsedMs),
    stages,
    queues: wiring.queues.map(({ from, to, queue }) => ({
      from,
      to,
      capacity: queue.capacity,
      peak: queue.peak,
      passed: queue.passed,
    })),
    failures: [...facts.failures],
    bottleneck: findBottleneck(stages),
  }
}

function reportStage(stage: PipelineStage): StageReport {
  const { in: taken, ...became } = stage.account
  const times = stage.counters?.times(sharedNowMs()) ?? { busyMs: 0, starvedMs: 0, blockedMs: 0 }
  return {
    name: stage.name,
    host: stage.host,
    workers: 1,
    ...(taken === undefined ? {} : { in: taken }),
    ...became,
    busyMs: round(times.busyMs),
    starvedMs: round(times.starvedMs),
    blockedMs: round(times.blockedMs),
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
