/** Spans and metrics of every run of this process, by the API of OpenTelemetry, an optional peer. */
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { isObject } from '../define/option-table.ts'
import { invalidOption } from '../errors.ts'
import { listen } from './listen.ts'
import { RunMeters } from './run-meters.ts'
import { RunSpans } from './run-spans.ts'

export interface InstrumentOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider
  /** Default: the global one. */
  meterProvider?: MeterProvider
  /** The first item of each source is traced, and every so many after it; Infinity: none is. Default 1,000. */
  sampleEvery?: number
}

const NAME = 'millrace'

/**
 * From now on every run that is started in this thread has spans and metrics. Call it where the SDK is set up.
 *
 * @returns ends that, for all runs
 * @throws MILLRACE_INVALID_OPTION
 * @example
 * instrumentRuns({ sampleEvery: 100 })
 */
export function instrumentRuns(options: InstrumentOptions = {}): () => void {
  if (!isObject(options)) throw invalidOption('instrumentRuns', 'options', 'an object', options)
  const { tracerProvider = trace, meterProvider = metrics, sampleEvery = 1_000 } = options
  const isCount = Number.isSafeInteger(sampleEvery) || sampleEvery === Number.POSITIVE_INFINITY
  if (!isCount || sampleEvery < 1) {
    throw invalidOption('instrumentRuns', 'sampleEvery', 'an integer, 1 or more, or Infinity', sampleEvery)
  }
  const spans = new RunSpans(tracerProvider.getTracer(NAME), sampleEvery)
  const meters = new RunMeters(meterProvider.getMeter(NAME))
  const forget = [listen(spans.listeners), listen(meters.listeners)]
  return () => {
    for (const each of forget) each()
    spans.end()
    meters.end()
  }
}
