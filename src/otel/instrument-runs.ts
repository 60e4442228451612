/** Spans and metrics of every run of this process, by the API of OpenTelemetry, an optional peer. */
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { isFunction, isIntegerFrom, isObject, type OptionTable } from '../define/option-table.ts'
import { checkOptions } from '../plan/check-options.ts'
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

const isCount = isIntegerFrom(1, Number.MAX_SAFE_INTEGER)

const INSTRUMENT_OPTIONS = {
  tracerProvider: {
    expected: 'an object with the function getTracer',
    isValid: (value) => isObject(value) && 'getTracer' in value && isFunction(value.getTracer),
    default: trace,
    doc: 'Who makes the spans.',
  },
  meterProvider: {
    expected: 'an object with the function getMeter',
    isValid: (value) => isObject(value) && 'getMeter' in value && isFunction(value.getMeter),
    default: metrics,
    doc: 'Who makes the metrics.',
  },
  sampleEvery: {
    expected: 'an integer, 1 or more, or Infinity',
    isValid: (value) => isCount(value) || value === Number.POSITIVE_INFINITY,
    default: 1_000,
    unit: 'items',
    doc: 'The first item of each source is traced, and every so many after it.',
  },
} as const satisfies OptionTable

const NAME = 'millrace'

/**
 * From now on every run that is started in this thread has spans and metrics. Call it where the SDK is set up.
 *
 * @returns ends that, for all runs
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION
 * @example
 * instrumentRuns({ sampleEvery: 100 })
 */
export function instrumentRuns(options: InstrumentOptions = {}): () => void {
  const checked = checkOptions('instrumentRuns', INSTRUMENT_OPTIONS, options) as Required<InstrumentOptions>
  const { tracerProvider, meterProvider, sampleEvery } = checked
  const spans = new RunSpans(tracerProvider.getTracer(NAME), sampleEvery)
  const meters = new RunMeters(meterProvider.getMeter(NAME))
  const forget = [listen(spans.listeners), listen(meters.listeners)]
  return () => {
    for (const each of forget) each()
    spans.end()
    meters.end()
  }
}
