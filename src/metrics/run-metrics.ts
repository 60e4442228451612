/**
 * What a run counts, as families of metrics: names and units as Prometheus asks (base units, `_total` for what only
 * grows). Read at the moment it is asked; a run pays nothing for it.
 */
import {
  ABANDONED,
  DROPPED,
  FAILED,
  sharedNowMs,
  WAITING,
  WORKING,
  type WorkerCounters,
} from '../observe/counters.ts'
import { SERVICE_BOUNDS_MS, ServiceTimes } from '../observe/service-times.ts'
import type { PipelineManager } from '../run/manager.ts'
import type { RunQueue } from '../run/run-queue.ts'
import type { PipelineStage } from '../run/stage.ts'
import type { StageWorker } from '../run/stage-worker.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  labels: Labels
  value: number
  /** Of a histogram: what stands after its name. */
  suffix?: '_bucket' | '_sum' | '_count'
}

export interface MetricFamily {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  samples: Sample[]
}

interface WorkerPlace {
  stage: PipelineStage
  worker: StageWorker
  counters: WorkerCounters
}

interface Definition<Place> {
  name: string
  help: string
  type: MetricFamily['type']
  read: (place: Place, metrics: RunMetrics) => number | undefined
}

const OF_WORKERS: readonly Definition<WorkerPlace>[] = [
  {
    name: 'millrace_items_in_total',
    help: 'Items put into the lanes of the worker.',
    type: 'counter',
    read: ({ stage, worker }) => stage.accounts[worker.number].in,
  },
  {
    name: 'millrace_items_out_total',
    help: 'Records the worker put out; of a sink, items it delivered.',
    type: 'counter',
    read: ({ stage, worker }) => stage.accounts[worker.number].out,
  },
  {
    name: 'millrace_items_dropped_total',
    help: 'Items the worker let go.',
    type: 'counter',
    read: ({ stage, worker, counters }) => settled(stage, worker, 'dropped') ?? counters.of(DROPPED),
  },
  {
    name: 'millrace_items_failed_total',
    help: 'Items that failed for good.',
    type: 'counter',
    read: ({ stage, worker, counters }) => settled(stage, worker, 'failed') ?? counters.of(FAILED),
  },
  {
    name: 'millrace_items_abandoned_total',
    help: 'Items left in the lanes of the worker, or whose output nobody took, when the run ended.',
    type: 'counter',
    read: ({ stage, worker, counters }) => settled(stage, worker, 'abandoned') ?? counters.of(ABANDONED),
  },
  {
    name: 'millrace_items_in_doubt_total',
    help: 'Items that a sink had in hand when its worker died for the last time.',
    type: 'counter',
    read: ({ stage, worker }) => settled(stage, worker, 'inDoubt') ?? 0,
  },
  {
    name: 'millrace_retries_total',
    help: 'Tries of items after their first.',
    type: 'counter',
    read: ({ counters }) => counters.retried,
  },
  {
    name: 'millrace_restarts_total',
    help: 'How often the worker was started again.',
    type: 'counter',
    read: ({ worker }) => worker.restarts,
  },
  {
    name: 'millrace_in_hand_items',
    help: 'Items that the worker has in hand.',
    type: 'gauge',
    read: ({ stage, counters }) => (stage.hasEnded ? 0 : Math.max(counters.held, counters.hasInHand ? 1 : 0)),
  },
  {
    name: 'millrace_busy_seconds_total',
    help: 'Time the worker spent neither waiting for an item nor for room.',
    type: 'counter',
    read: (place, metrics) => metrics.busySeconds(place),
  },
  {
    name: 'millrace_starved_seconds_total',
    help: 'Time the worker waited for an item, as far as those waits are over.',
    type: 'counter',
    read: ({ counters }) => counters.times(sharedNowMs()).starvedMs / 1000,
  },
  {
    name: 'millrace_blocked_seconds_total',
    help: 'Time the worker waited for room, as far as those waits are over.',
    type: 'counter',
    read: ({ counters }) => counters.times(sharedNowMs()).blockedMs / 1000,
  },
]

const OF_QUEUES: readonly Definition<RunQueue>[] = [
  {
    name: 'millrace_queue_items',
    help: 'Items in the queue, those in hand of its readers counted.',
    type: 'gauge',
    read: ({ level }) => level,
  },
  {
    name: 'millrace_queue_capacity_items',
    help: 'Items that the queue holds at most.',
    type: 'gauge',
    read: ({ capacity }) => capacity,
  },
  {
    name: 'millrace_queue_passed_items_total',
    help: 'Items ever put into the queue.',
    type: 'counter',
    read: ({ passed }) => passed,
  },
  {
    name: 'millrace_queue_dropped_items_total',
    help: 'Items that the queue had no room for, or that made room for others.',
    type: 'counter',
    read: ({ dropped }) => dropped,
  },
]

const SERVICE = {
  name: 'millrace_stage_service_seconds',
  help: 'Time that a try of an item takes in the stage, without waiting for room; quick items by samples.',
  type: 'histogram',
} as const

/** Upper bounds of the buckets, in milliseconds: 1, 2.5 and 5 of each decade, from 10 µs to 100 s. */
const SERVICE_BUCKETS_MS = SERVICE_BOUNDS_MS.filter(
  (ms) => ms >= 0.01 && ms <= 100_000 && /^(1|2\.5|5)e/.test(ms.toExponential()),
)

/** The metrics of one run. */
export class RunMetrics {
  /** All that there may be, without their samples. */
  static readonly families: readonly Omit<MetricFamily, 'samples'>[] = [
    ...OF_WORKERS,
    SERVICE,
    ...OF_QUEUES,
  ].map(({ name, help, type }) => ({ name, help, type }))
  static readonly #ofRuns = new WeakMap<PipelineManager, RunMetrics>()
  readonly #run: PipelineManager
  readonly #busy = new Map<string, number>()

  /** The same each time, whoever reads them: what was told once must not fall. */
  static of(run: PipelineManager): RunMetrics {
    const metrics = RunMetrics.#ofRuns.get(run) ?? new RunMetrics(run)
    RunMetrics.#ofRuns.set(run, metrics)
    return metrics
  }

  private constructor(run: PipelineManager) {
    this.#run = run
  }

  /** Before the run is prepared there are none. */
  read(): MetricFamily[] {
    const { stages, queues } = this.#run
    const pipeline = this.#run.plan?.pipeline ?? 'pipeline'
    const workers = stages.flatMap((stage) =>
      stage.workerList
        .filter((worker) => !worker.isAbsent || worker.counters.settled > 0)
        .map((worker) => ({ stage, worker, counters: worker.counters })),
    )
    const families = [
      ...OF_WORKERS.map((definition) =>
        this.#family(definition, workers, ({ stage, worker }) => ({
          pipeline,
          stage: stage.name,
          worker: String(worker.number),
        })),
      ),
      { ...SERVICE, samples: workers.flatMap((place) => serviceSamples(place, pipeline)) },
      ...OF_QUEUES.map((definition) =>
        this.#family(definition, queues, ({ from, to, branch = '' }) => ({ pipeline, from, to, branch })),
      ),
    ]
    return families.filter(({ samples }) => samples.length > 0)
  }

  /**
   * A wait that still lasts counts as busy until it is over, also when it has been rung and has not gone on yet. What only
   * grows must not fall then: of a worker that waits the time is told that it had when it was last seen at work.
   */
  busySeconds({ stage, worker, counters }: WorkerPlace): number {
    const key = `${worker.number} ${stage.name}`
    const now = counters.times(sharedNowMs()).busyMs / 1000
    if (stage.hasEnded) return now
    const last = this.#busy.get(key) ?? 0
    const busy = isAtWork({ stage, worker, counters }) ? Math.max(last, now) : last
    this.#busy.set(key, busy)
    return busy
  }

  #family<Place>(
    { name, help, type, read }: Definition<Place>,
    places: readonly Place[],
    labelsOf: (place: Place) => Labels,
  ): MetricFamily {
    const samples: Sample[] = []
    for (const place of places) {
      const value = read(place, this)
      if (value !== undefined) samples.push({ labels: labelsOf(place), value })
    }
    return { name, help, type, samples }
  }
}

function serviceSamples({ stage, worker, counters }: WorkerPlace, pipeline: string): Sample[] {
  // Nobody hands items to a source.
  if (stage.plan?.kind === 'source') return []
  const labels = { pipeline, stage: stage.name, worker: String(worker.number) }
  const times = ServiceTimes.total([counters.serviceTimes])
  const bucket = (le: string, value: number): Sample => ({
    labels: { ...labels, le },
    value,
    suffix: '_bucket',
  })
  return [
    ...SERVICE_BUCKETS_MS.map((ms) => bucket(String(ms / 1000), times.upTo(ms))),
    bucket('+Inf', times.count),
    { labels, value: times.sumMs / 1000, suffix: '_sum' },
    { labels, value: times.count, suffix: '_count' },
  ]
}

/** Exact once the stage has ended; before, what is left in its lanes has no outcome yet. */
function settled(
  stage: PipelineStage,
  { number }: StageWorker,
  field: 'dropped' | 'failed' | 'abandoned' | 'inDoubt',
): number | undefined {
  return stage.hasEnded ? stage.accounts[number][field] : undefined
}

/** A source has no item in hand while it reads the next one: that is its work. */
function isAtWork({ stage, worker, counters }: WorkerPlace): boolean {
  if (stage.isAsleep(worker.number)) return false
  return counters.phase === WORKING || (counters.phase === WAITING && stage.plan?.kind === 'source')
}
