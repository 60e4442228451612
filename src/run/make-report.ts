/** The report of a run, from what its stages and queues counted. */
import { sharedNowMs } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import { adviseOnHops, type Hop } from '../observe/hop-advice.ts'
import {
  findBottleneck,
  type Overdue,
  type QueueReport,
  type Report,
  type RunOutcome,
  type StageReport,
  type WorkerReport,
} from '../observe/report.ts'
import { ServiceTimes } from '../observe/service-times.ts'
import { type Account, sumAccounts } from './account.ts'
import type { RunQueue } from './run-queue.ts'
import type { PipelineStage } from './stage.ts'
import type { StageWorker } from './stage-worker.ts'
import type { Wiring } from './wire.ts'

export interface RunFacts {
  outcome: RunOutcome
  reason: string | undefined
  elapsedMs: number
  failures: readonly Failure[]
  overdue: readonly Overdue[]
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
    queues: wiring.queues.map(reportQueue),
    failures: [...facts.failures],
    ...(facts.overdue.length === 0 ? {} : { overdue: [...facts.overdue] }),
    bottleneck: findBottleneck(stages),
    advice: adviseOnHops(hopsOf(wiring)),
  }
}

/** Only from one worker to one worker: what several do side by side is no matter of a hop. A sink cannot be an operator. */
function hopsOf({ queues, stages }: Wiring): Hop[] {
  return queues.flatMap(({ from, to, kind }): Hop[] => {
    const [before, after] = [from, to].map((name) => stages.find((stage) => stage.name === name))
    if (kind !== 'items' || before === undefined || after === undefined) return []
    const isHop = [before, after].every(
      ({ host, workerList }) => host === 'thread' && workerList.length === 1,
    )
    if (!isHop || before.outputs.length !== 1 || after.outputs.length !== 1) return []
    return [{ stage: to, from, samples: after.workerList[0].counters.hopSamples }]
  })
}

function reportQueue({ from, to, branch, capacity, peak, passed, dropped }: RunQueue): QueueReport {
  return { from, to, ...(branch === undefined ? {} : { branch }), capacity, peak, passed, dropped }
}

function reportStage(stage: PipelineStage): StageReport {
  const { accounts, slabs } = stage
  const { in: taken, ...became } = sumAccounts(accounts)
  // Those that were never there have nothing to tell.
  const workers = stage.workerList.map(reportWorker(accounts)).filter(isUsed(stage))
  return {
    name: stage.name,
    host: stage.host,
    workers: stage.workers,
    ...(taken === undefined ? {} : { in: taken }),
    ...became,
    retried: stage.workerList.reduce((sum, { counters }) => sum + counters.retried, 0),
    restarts: stage.workerList.reduce((sum, { restarts }) => sum + restarts, 0),
    overflowed: stage.inputs.reduce((sum, { dropped }) => sum + dropped, 0),
    busyMs: round(total(workers, 'busyMs')),
    starvedMs: round(total(workers, 'starvedMs')),
    blockedMs: round(total(workers, 'blockedMs')),
    ...(slabs === undefined ? {} : { slabs }),
    ...reportService(stage),
    ...(workers.length > 1 ? { perWorker: workers } : {}),
  }
}

function reportWorker(accounts: readonly Account[]): (worker: StageWorker) => WorkerReport {
  return ({ number, counters, restarts }) => {
    const { in: taken, out } = accounts[number]
    const { busyMs, starvedMs, blockedMs } = counters.times(sharedNowMs())
    return {
      worker: number,
      ...(taken === undefined ? {} : { in: taken }),
      out,
      busyMs: round(busyMs),
      starvedMs: round(starvedMs),
      blockedMs: round(blockedMs),
      restarts,
    }
  }
}

function reportService({ workerList }: PipelineStage): Pick<StageReport, 'service'> {
  const times = ServiceTimes.total(workerList.map(({ counters }) => counters.serviceTimes))
  if (times.count === 0) return {}
  const [p50, p99] = [times.quantile(0.5), times.quantile(0.99)]
  return { service: { mean: round(times.sumMs / times.count), p50: round(p50), p99: round(p99) } }
}

function isUsed(stage: PipelineStage): (report: WorkerReport) => boolean {
  return ({ worker, in: taken = 0, busyMs }) => worker < stage.workers || taken > 0 || busyMs > 0
}

function total(workers: readonly WorkerReport[], field: 'busyMs' | 'starvedMs' | 'blockedMs'): number {
  return workers.reduce((sum, worker) => sum + worker[field], 0)
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
