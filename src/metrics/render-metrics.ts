/** Metrics as text: the Prometheus exposition format, version 0.0.4. */
import type { PipelineManager } from '../run/manager.ts'
import { type MetricFamily, RunMetrics } from './run-metrics.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * What the run counts, as Prometheus reads it, at this moment.
 *
 * @example
 * response.end(renderMetrics(run))
 */
export function renderMetrics(run: PipelineManager): string {
  return renderFamilies(RunMetrics.of(run).read())
}

export function renderFamilies(families: readonly MetricFamily[]): string {
  return families.map(renderFamily).join('')
}

function renderFamily({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map(
    ({ labels, value, suffix = '' }) => `${name}${suffix}{${renderLabels(labels)}} ${value}\n`,
  )
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
