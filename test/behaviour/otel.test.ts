// millrace/otel with the real SDK: runs as traces and metrics.
import assert from 'node:assert/strict'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { type MillraceError, PipelineError, pipeline, start } from '../../src/index.ts'
import { instrumentRuns } from '../../src/otel.ts'
import traced, { type TracedOptions } from '../fixtures/pipelines/traced.ts'
import { assertBalanced } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

const LOOP = { on: 'loop' } as const
const SLOW_START = { deadlineMs: 50_000 }

function makeTracing() {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const spans = () => exporter.getFinishedSpans()
  return {
    tracerProvider,
    spans,
    named: (name: string): ReadableSpan[] => spans().filter((span) => span.name === name),
    one(name: string): ReadableSpan {
      const found = spans().filter((span) => span.name === name)
      assert.equal(found.length, 1, `${name}: ${spans().map((span) => span.name)}`)
      return found[0]
    },
  }
}

type Given = { number: number; thread: string; process: string }[]

/** Spans of one run over all hosts, and what its stages were told. */
async function runTraced(options: TracedOptions, sampleEvery: number) {
  const tracing = makeTracing()
  const end = instrumentRuns({ tracerProvider: tracing.tracerProvider, sampleEvery })
  const told: Given = []
  const run = watch(start(traced, options, { startMs: 40_000 }))
  for await (const batch of run) told.push(...(batch as Given))
  assertBalanced(await run.join())
  end()
  await tracing.tracerProvider.forceFlush()
  return { ...tracing, told: told.toSorted((a, b) => a.number - b.number) }
}

const idOf = (span: ReadableSpan) => span.spanContext().spanId
const itemOf = (span: ReadableSpan) => span.attributes['millrace.item']

test('run, worker, item: each the parent of the next, over thread and process', SLOW_START, async () => {
  const { named, one, spans, told } = await runTraced({ items: 12 }, 5)
  const run = one('run traced')
  assert.equal(run.parentSpanContext, undefined)
  assert.deepEqual([run.attributes['millrace.outcome'], run.status.code], ['completed', SpanStatusCode.UNSET])
  for (const stage of ['thread', 'process']) {
    const life = one(`worker ${stage} 0`)
    assert.equal(life.parentSpanContext?.spanId, idOf(run))
    assert.deepEqual([life.attributes['millrace.host'], life.attributes['millrace.life']], [stage, 1])
    const items = named(stage)
    assert.deepEqual(items.map(itemOf), [1, 6, 11])
    for (const item of items) {
      assert.equal(item.parentSpanContext?.spanId, idOf(life))
      assert.equal(item.spanContext().traceId, run.spanContext().traceId)
      const [from, to] = [item.startTime, item.endTime].map(([s, ns]) => s * 1e3 + ns / 1e6)
      const [began, ended] = [run.startTime, run.endTime].map(([s, ns]) => s * 1e3 + ns / 1e6)
      // Clocks of two processes, and of the span before it was rounded.
      assert.ok(from <= to && from >= began - 50 && to <= ended + 50)
    }
    const context = `00-${run.spanContext().traceId}-${idOf(life)}`
    assert.deepEqual(
      told.map((one) => one[stage as 'thread' | 'process']),
      told.map(({ number }) => `${context}-${number % 5 === 1 ? '01' : '00'}`),
    )
  }
  // The same item in the stage before.
  for (const item of named('process')) {
    const before = named('thread').find((span) => itemOf(span) === itemOf(item))
    assert.deepEqual(
      item.links.map((link) => link.context.spanId),
      [before && idOf(before)],
    )
  }
  assert.equal(new Set(spans().map((span) => span.spanContext().traceId)).size, 1)
})

test(
  'a try that fails is an error, and the next one is linked to where the item comes from',
  SLOW_START,
  async () => {
    const { named, one } = await runTraced({ items: 4, at3: 'throw once' }, 1)
    const [first, second] = named('process').filter((span) => itemOf(span) === 3)
    assert.deepEqual([first.status.code, first.status.message], [SpanStatusCode.ERROR, 'not yet'])
    assert.deepEqual(
      first.events.map(({ name, attributes }) => [name, attributes?.['exception.type']]),
      [['exception', 'RangeError']],
    )
    assert.deepEqual([second.status.code, second.attributes['millrace.attempt']], [SpanStatusCode.UNSET, 2])
    const before = named('thread').find((span) => itemOf(span) === 3)
    assert.deepEqual(second.links[0].context.spanId, before && idOf(before))
    assert.equal(one('run traced').status.code, SpanStatusCode.UNSET)
  },
)

test('a life that dies is an error, and the next one is linked to it', SLOW_START, async () => {
  const { named, one } = await runTraced({ items: 4, at3: 'exit' }, 1)
  const [first, second] = named('worker process 0')
  assert.equal(first.status.code, SpanStatusCode.ERROR)
  assert.match(first.status.message ?? '', /^stage "process" died/)
  assert.deepEqual([second.attributes['millrace.life'], second.links[0].context.spanId], [2, idOf(first)])
  assert.deepEqual(
    one('run traced').events.map(({ name }) => name),
    ['restart'],
  )
  const again = named('process').filter((span) => span.parentSpanContext?.spanId === idOf(second))
  assert.deepEqual(again.map(itemOf).toSorted(), [3, 4])
  // The try that it died in has a span of its own, and nothing is linked to that.
  const [fatal] = named('process').filter(
    (span) => itemOf(span) === 3 && span.parentSpanContext?.spanId === idOf(first),
  )
  assert.equal(fatal.status.code, SpanStatusCode.ERROR)
  const before = named('thread').find((span) => itemOf(span) === 3)
  const third = again.find((span) => itemOf(span) === 3)
  assert.deepEqual(
    third?.links.map((link) => link.context.spanId),
    [before && idOf(before)],
  )
})

test('an item is linked to the stage before also where that has not ended its try yet', async () => {
  const { tracerProvider, one } = makeTracing()
  const end = instrumentRuns({ tracerProvider, sampleEvery: 1 })
  let finish = (): void => {}
  const isSunk = new Promise<void>((resolve) => {
    finish = resolve
  })
  const slow = pipeline('slow')
    .source('numbers', [1], LOOP)
    .stage(
      'first',
      async function* (number: number) {
        yield number
        await isSunk
      },
      LOOP,
    )
    .stage('second', (number) => number, LOOP)
    .sink('third', () => finish(), LOOP)
  await watch(start(slow)).join()
  end()
  await tracerProvider.forceFlush()
  const linksOf = (name: string) => one(name).links.map((link) => link.context.spanId)
  assert.deepEqual(linksOf('first'), [])
  assert.deepEqual(linksOf('second'), [idOf(one('first'))])
  assert.deepEqual(linksOf('third'), [idOf(one('second'))])
})

test('a run is the child of what was active when it was started; what ends it is an error', async () => {
  const { tracerProvider, one } = makeTracing()
  tracerProvider.register()
  const end = instrumentRuns()
  const failing = pipeline('failing')
    .source('numbers', [1], LOOP)
    .sink(
      'end',
      () => {
        throw new Error('no')
      },
      LOOP,
    )
  const outer = trace.getTracer('test').startSpan('outer')
  const run = context.with(trace.setSpan(context.active(), outer), () => watch(start(failing)))
  await assert.rejects(run.join(), PipelineError)
  outer.end()
  end()
  await tracerProvider.forceFlush()
  trace.disable()
  context.disable()
  const span = one('run failing')
  assert.equal(span.parentSpanContext?.spanId, outer.spanContext().spanId)
  assert.equal(span.status.code, SpanStatusCode.ERROR)
  assert.deepEqual(
    span.events.map(({ name }) => name),
    ['failure', 'abort', 'exception'],
  )
  // The default is one in a thousand, and the first.
  assert.equal(one('end').status.message, 'no')
})

test('a batch is one span, linked to each of its items that is traced', async () => {
  const { tracerProvider, one, named } = makeTracing()
  const end = instrumentRuns({ tracerProvider, sampleEvery: 2 })
  const batches = pipeline('batches')
    .source('numbers', [1, 2, 3, 4], LOOP)
    .stage('work', (number) => number, LOOP)
    .batch({ size: 4 })
    .sink('end', () => {}, LOOP)
  await watch(start(batches)).join()
  end()
  await tracerProvider.forceFlush()
  const batch = one('end')
  assert.deepEqual(named('work').map(itemOf), [1, 3])
  assert.deepEqual(
    batch.links.map((link) => link.context.spanId),
    named('work').map(idOf),
  )
  assert.equal(batch.attributes['millrace.items'], 4)
})

test('without an SDK nothing is told to workers, and none is asked for items', async () => {
  const end = instrumentRuns({ sampleEvery: 1 })
  const told: unknown[] = []
  const silent = pipeline('silent')
    .source('numbers', [1], LOOP)
    .sink('end', (_, ctx) => void told.push(ctx.traceparent), LOOP)
  await watch(start(silent)).join()
  end()
  assert.deepEqual(told, [undefined])
})

test('metrics: the counts of all runs together, those that have ended counted in', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const { tracerProvider } = makeTracing()
  const end = instrumentRuns({ meterProvider, tracerProvider, sampleEvery: 1 })
  const counted = pipeline('counted')
    .source('numbers', [1, 2, 3], LOOP)
    .stage('odd', (number) => (number % 2 === 0 ? undefined : number), LOOP)
    .sink('end', () => {}, LOOP)
  await watch(start(counted)).join()
  await watch(start(counted)).join()
  await reader.forceFlush()
  const found = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  const of = (name: string, stage: string) => {
    const metric = found.find(({ descriptor }) => descriptor.name === name)
    const points = metric?.dataPoints.filter(({ attributes }) => attributes['millrace.stage'] === stage)
    assert.equal(points?.length, 1, `${name} of ${stage}`)
    assert.equal(points[0].attributes['millrace.pipeline'], 'counted')
    return { value: points[0].value, unit: metric?.descriptor.unit }
  }
  assert.deepEqual(of('millrace.items.in', 'odd'), { value: 6, unit: '{item}' })
  assert.deepEqual(of('millrace.items.dropped', 'odd'), { value: 2, unit: '{item}' })
  assert.deepEqual(of('millrace.items.out', 'end'), { value: 4, unit: '{item}' })
  assert.equal(of('millrace.busy', 'odd').unit, 's')
  const duration = of('millrace.item.duration', 'odd')
  assert.deepEqual([(duration.value as { count: number }).count, duration.unit], [6, 's'])
  end()
  await meterProvider.shutdown()
  await tracerProvider.forceFlush()
})

test('what cannot be a sample is refused', () => {
  for (const sampleEvery of [0, 1.5, '3']) {
    assert.throws(
      () => instrumentRuns({ sampleEvery: sampleEvery as number }),
      (error: MillraceError) => /sampleEvery must be an integer, 1 or more, or Infinity/.test(error.message),
    )
  }
})

test('options that do not exist, and providers that provide nothing, are refused', () => {
  const refused = (options: object | null, code: string, message: RegExp) =>
    assert.throws(() => instrumentRuns(options as never), { code, message })
  refused(
    { foo: 1 },
    'MILLRACE_UNKNOWN_OPTION',
    /^instrumentRuns: unknown option "foo"; known are tracerProvider, meterProvider, sampleEvery$/,
  )
  for (const options of [null, { tracerProvider: {} }, { meterProvider: 1 }])
    refused(options, 'MILLRACE_INVALID_OPTION', /^instrumentRuns: (options|\w+Provider) must be an object/)
})
