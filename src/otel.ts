/** `millrace/otel`: runs as traces and metrics of OpenTelemetry. */
export { type InstrumentOptions, instrumentRuns } from './otel/instrument-runs.ts'
