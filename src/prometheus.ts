/** `millrace/prometheus`: what a run counts, as Prometheus reads it. */
export { type MetricsRegistry, registerMetrics } from './metrics/register-metrics.ts'
export { renderMetrics } from './metrics/render-metrics.ts'
export { type MetricsServer, type MetricsServerOptions, serveMetrics } from './metrics/serve-metrics.ts'
