/** The metrics of a run in a registry of prom-client, beside those of the application. */
import type { PipelineManager } from '../run/manager.ts'
import { type MetricFamily, RunMetrics, type Sample } from './run-metrics.ts'

/** What is used of a `Registry` of prom-client 15. */
export interface MetricsRegistry {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

/** One metric as prom-client's registry reads it. */
interface RegisteredMetric {
  name: string
  help: string
  type: MetricFamily['type']
  aggregator: 'sum'
  get(): Promise<
    Omit<RegisteredMetric, 'get'> & { values: { labels: object; value: number; metricName?: string }[] }
  >
}

/** Runs that share a registry share its metrics: each name stands there once. */
const runsOf = new WeakMap<MetricsRegistry, Set<RunMetrics>>()

/**
 * Adds what the run counts to a registry of prom-client; they are read when the registry is. Several runs may be in one:
 * those of the same pipeline are added up.
 *
 * @returns takes the run out again
 * @example
 * const remove = registerMetrics(run, client.register)
 */
export function registerMetrics(run: PipelineManager, registry: MetricsRegistry): () => void {
  const metrics = RunMetrics.of(run)
  const runs = runsOf.get(registry) ?? new Set()
  runsOf.set(registry, runs)
  if (runs.size === 0) for (const metric of makeMetrics(runs)) registry.registerMetric(metric as never)
  runs.add(metrics)
  return () => {
    runs.delete(metrics)
    if (runs.size === 0) for (const { name } of RunMetrics.families) registry.removeSingleMetric(name)
  }
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
    const metric: RegisteredMetric = { ...about, name, get }
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
