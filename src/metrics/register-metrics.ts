/** The metrics of a run in a registry of prom-client, beside those of the application. */
import type { PipelineManager } from '../run/manager.ts'
import { type MetricFamily, RunMetrics, type Sample } from './run-metrics.ts'

/** What is used of a `Registry` of prom-client 15. */
export interface MetricsRegistry {
  registerMetric(metric: never): void
  getSingleMetric(name: string): unknown
  removeSingleMetric(name: string): void
}

/** One metric as prom-client's registry reads it. */
interface RegisteredMetric {
  name: string
  help: string
  type: MetricFamily['type']
  aggregator: 'sum'
  get(): Promise<
    Omit<RegisteredMetric, 'get' | 'reset'> & {
      values: { labels: object; value: number; metricName?: string }[]
    }
  >
  reset(): void
}

/** Runs that share a registry share its metrics: each name stands there once. */
interface SharedMetrics {
  runs: Set<RunMetrics>
  byName: ReadonlyMap<string, RegisteredMetric>
}

const sharedIn = new WeakMap<MetricsRegistry, SharedMetrics>()

/**
 * Adds what the run counts to a registry of prom-client; they are read when the registry is. Several runs may be in one:
 * those of the same pipeline are added up. The registry's `clear` takes out all of them; its `resetMetrics` leaves them as
 * they are, for what a run counts is the run's own.
 *
 * @returns takes the run out again
 * @example
 * const remove = registerMetrics(run, client.register)
 */
export function registerMetrics(run: PipelineManager, registry: MetricsRegistry): () => void {
  const metrics = RunMetrics.of(run)
  const shared = share(registry)
  shared.runs.add(metrics)
  return () => {
    shared.runs.delete(metrics)
    if (shared.runs.size === 0)
      for (const name of namesIn(registry, shared)) registry.removeSingleMetric(name)
  }
}

/** Those that are there. A registry that was cleared since has new ones: what was in it before stays out. */
function share(registry: MetricsRegistry): SharedMetrics {
  const before = sharedIn.get(registry)
  if (before !== undefined && namesIn(registry, before).length > 0) return before
  const runs = new Set<RunMetrics>()
  const metrics = makeMetrics(runs)
  const shared = { runs, byName: new Map(metrics.map((metric) => [metric.name, metric])) }
  for (const metric of metrics) registry.registerMetric(metric as never)
  sharedIn.set(registry, shared)
  return shared
}

/** Under which names the registry has ours: it may have been cleared, and others may be there. */
function namesIn(registry: MetricsRegistry, { byName }: SharedMetrics): string[] {
  return [...byName]
    .filter(([name, metric]) => registry.getSingleMetric(name) === metric)
    .map(([name]) => name)
}

function makeMetrics(runs: ReadonlySet<RunMetrics>): RegisteredMetric[] {
  return RunMetrics.families.map(({ name, help, type }) => {
    const about = { help, type, aggregator: 'sum' as const }
    const named = ({ labels, value, suffix }: Sample) => ({
      labels,
      value,
      ...(suffix === undefined ? {} : { metricName: `${name}${suffix}` }),
    })
    const get = async () => {
      const families = [...runs].flatMap((metrics) => metrics.read())
      const samples = families.filter((family) => family.name === name).flatMap((family) => family.samples)
      // A registry in the format of OpenMetrics takes `_total` off the name before it asks, and puts it behind that which it
      // gets.
      return { ...about, name: metric.name, values: sumSamples(samples).map(named) }
    }
    const reset = () => {}
    const metric: RegisteredMetric = { ...about, name, get, reset }
    return metric
  })
}

/** A series stands there once: runs of the same pipeline are added up. */
function sumSamples(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>()
  for (const sample of samples) {
    const { labels, suffix = '', value } = sample
    const key = JSON.stringify([suffix, labels])
    sums.set(key, { ...sample, value: (sums.get(key)?.value ?? 0) + value })
  }
  return [...sums.values()]
}
