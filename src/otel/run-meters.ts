/**
 * Metrics of runs: what they count, read when it is asked for, over all runs of the process, also those that have ended;
 * and how long items take that are traced.
 */
import type { BatchObservableResult, Histogram, Meter, Observable } from '@opentelemetry/api'
import { type Labels, type MetricFamily, RunMetrics } from '../metrics/run-metrics.ts'
import type { PipelineManager } from '../run/manager.ts'
import type { Listeners } from './listen.ts'

interface Total {
  labels: Labels
  value: number
}

const UNITS: readonly [RegExp, string][] = [
  [/_seconds/, 's'],
  [/_restarts_/, '{restart}'],
  [/_retries_/, '{retry}'],
  [/_items/, '{item}'],
]

export class RunMeters {
  readonly #meter: Meter
  readonly #runs = new Map<PipelineManager, RunMetrics>()
  /** Of runs that have ended, what only grows: it must not fall. */
  readonly #ended = new Map<string, Map<string, Total>>()
  readonly #instruments = new Map<string, Observable>()
  readonly #durations: Histogram

  constructor(meter: Meter) {
    this.#meter = meter
    for (const { name, help, type } of RunMetrics.families) {
      if (type === 'histogram') continue
      const options = { description: help, unit: UNITS.find(([part]) => part.test(name))?.[1] ?? '1' }
      const instrument =
        type === 'counter'
          ? meter.createObservableCounter(dotted(name), options)
          : meter.createObservableGauge(dotted(name), options)
      this.#instruments.set(name, instrument)
    }
    meter.addBatchObservableCallback(this.#observe, [...this.#instruments.values()])
    this.#durations = meter.createHistogram('millrace.item.duration', {
      description: 'Time that a try of an item that is traced takes in the stage.',
      unit: 's',
    })
  }

  readonly listeners: Listeners = {
    'millrace:run:start': ({ run }) => void this.#runs.set(run, RunMetrics.of(run)),
    'millrace:run:end': ({ run }) => this.#fold(run),
    'millrace:item:traced': ({ run, stage, worker, startMs, endMs }) => {
      const attributes = labelsOf({
        pipeline: run.plan?.pipeline ?? 'pipeline',
        stage,
        worker: String(worker),
      })
      this.#durations.record((endMs - startMs) / 1000, attributes)
    },
  }

  end(): void {
    this.#meter.removeBatchObservableCallback(this.#observe, [...this.#instruments.values()])
    this.#runs.clear()
  }

  readonly #observe = (result: BatchObservableResult): void => {
    const totals = new Map<string, Map<string, Total>>()
    for (const [name, ended] of this.#ended) {
      for (const [key, total] of ended) addTo(totals, name, key, total)
    }
    for (const metrics of this.#runs.values()) {
      for (const family of metrics.read()) for (const sample of family.samples) add(totals, family, sample)
    }
    for (const [name, instrument] of this.#instruments) {
      for (const { labels, value } of totals.get(name)?.values() ?? []) {
        result.observe(instrument, value, labelsOf(labels))
      }
    }
  }

  #fold(run: PipelineManager): void {
    const metrics = this.#runs.get(run)
    this.#runs.delete(run)
    for (const family of metrics?.read() ?? []) {
      if (family.type !== 'counter') continue
      for (const sample of family.samples) add(this.#ended, family, sample)
    }
  }
}

function add(to: Map<string, Map<string, Total>>, { name }: MetricFamily, { labels, value }: Total): void {
  addTo(to, name, JSON.stringify(labels), { labels, value })
}

/** Several runs of one pipeline count together. */
function addTo(to: Map<string, Map<string, Total>>, name: string, key: string, total: Total): void {
  const totals = to.get(name) ?? new Map<string, Total>()
  to.set(name, totals)
  totals.set(key, { labels: total.labels, value: (totals.get(key)?.value ?? 0) + total.value })
}

/** `millrace_busy_seconds_total` is `millrace.busy`: a unit stands beside a name here. */
function dotted(name: string): string {
  return name
    .replace(/_total$/, '')
    .replace('_seconds', '')
    .replaceAll('_', '.')
}

function labelsOf(labels: Labels): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`millrace.${name}`, value]))
}
