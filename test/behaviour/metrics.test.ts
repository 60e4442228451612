// millrace/prometheus: what a run counts, as Prometheus reads it.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { Counter, type OpenMetricsContentType, Registry } from 'prom-client'
import { type PipelineManager, pipeline, type Report, start } from '../../src/index.ts'
import { registerMetrics, renderMetrics, serveMetrics } from '../../src/prometheus.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const LOOP = { on: 'loop' } as const

const flow = (held: Promise<void> = Promise.resolve()) =>
  pipeline('the "flow"')
    .source(
      'numbers',
      Array.from({ length: 10 }, (_, index) => index + 1),
      LOOP,
    )
    .stage(
      'work',
      async (number) => {
        if (number === 5) await held
        if (number === 7) throw new Error('no')
        return number % 2 === 0 ? undefined : number
      },
      { ...LOOP, capacity: 3, onError: 'skip', retry: { attempts: 2, delayMs: 0 } },
    )
    .sink('end', () => {}, LOOP)

/** Values by name and labels. */
function parse(text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const found = /^(\w+\{.*\}) (\S+)$/.exec(line)
    if (found !== null) values.set(found[1], Number(found[2]))
  }
  return values
}

const of = (name: string, stage: string): string =>
  `millrace_${name}{pipeline="the \\"flow\\"",stage="${stage}",worker="0"}`

function assertLikeReport(values: Map<string, number>, report: Report): void {
  for (const stage of report.stages) {
    const { name, out, dropped, failed, abandoned, inDoubt, retried, restarts, busyMs } = stage
    assert.equal(values.get(of('items_in_total', name)), stage.in)
    assert.deepEqual(
      [
        'items_out_total',
        'items_dropped_total',
        'items_failed_total',
        'items_abandoned_total',
        'items_in_doubt_total',
        'retries_total',
        'restarts_total',
      ].map((metric) => values.get(of(metric, name))),
      [out, dropped, failed, abandoned, inDoubt, retried, restarts],
    )
    const busy = values.get(of('busy_seconds_total', name)) ?? Number.NaN
    assert.ok(Math.abs(busy * 1000 - busyMs) < 0.001, `${busy} s, ${busyMs} ms`)
  }
}

test('when the run has ended, the metrics are the report', async () => {
  const run = watch(start(flow()))
  const report = await reportOf(run)
  const text = renderMetrics(run as PipelineManager)
  assertLikeReport(parse(text), report)
  assert.match(text, /^# HELP millrace_items_in_total [^\n]+\n# TYPE millrace_items_in_total counter\n/m)
})

test('while it runs they tell levels and what is in hand, and what only grows does not fall', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const run = watch(start(flow(held)))
  const read = () => parse(renderMetrics(run as PipelineManager))
  const queue = '{pipeline="the \\"flow\\"",from="numbers",to="work",branch=""}'
  await until(() => {
    const values = read()
    // Of those before the one that is held, two were let go.
    const isHeld =
      values.get(of('items_dropped_total', 'work')) === 2 && values.get(of('in_hand_items', 'work')) === 1
    return isHeld && (values.get(`millrace_queue_items${queue}`) ?? 0) >= 2
  })
  assert.equal(read().get(`millrace_queue_capacity_items${queue}`), 3)
  assert.equal(read().get(of('in_hand_items', 'work')), 1)
  const before = read()
  release()
  await reportOf(run)
  for (const [name, value] of read()) {
    if (name.includes('_total')) assert.ok(value >= (before.get(name) ?? 0), `${name}: ${value}`)
  }
})

test('the time at work does not fall while the worker waits, whoever asks, and however often anew', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let atWork = 0
  const waits = pipeline('waits')
    .source(
      'numbers',
      async function* () {
        yield 1
        await held
      },
      { on: 'loop' },
    )
    .sink(
      'work',
      () => {
        for (const since = performance.now(); performance.now() - since < 2; );
        atWork = busy()
      },
      { on: 'loop' },
    )
  const run = watch(start(waits)) as PipelineManager
  const busy = () =>
    parse(renderMetrics(run)).get('millrace_busy_seconds_total{pipeline="waits",stage="work",worker="0"}') ??
    0
  await until(() => atWork > 0 && run.stages.some((stage) => stage.name === 'work' && stage.isAsleep(0)))
  assert.ok(busy() >= atWork, `${busy()} s after ${atWork}`)
  release()
  await reportOf(run)
})

test('a registry of prom-client has them beside its own, for as long as they are wanted', async () => {
  const register = new Registry()
  const [one, two] = [watch(start(flow())), watch(start(flow()))]
  const remove = [one, two].map((run) => registerMetrics(run as PipelineManager, register))
  const report = await reportOf(one)
  await reportOf(two)
  // Of the same pipeline: each series stands there once.
  const both = await register.metrics()
  const series = both.split('\n').flatMap((line) => /^\w+\{.*\}/.exec(line)?.[0] ?? [])
  assert.deepEqual(series, [...new Set(series)])
  const taken = report.stages.find(({ name }) => name === 'work')?.in ?? 0
  assert.equal(parse(both).get(of('items_in_total', 'work')), 2 * taken)
  remove[1]()
  assertLikeReport(parse(await register.metrics()), report)
  remove[0]()
  assert.equal((await register.metrics()).trim(), '')
})

test('a registry in the format of OpenMetrics has each by its name', async () => {
  const register = new Registry<OpenMetricsContentType>()
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const run = watch(start(flow()))
  const remove = registerMetrics(run as PipelineManager, register)
  const report = await reportOf(run)
  for (const time of ['first', 'second']) {
    const text = await register.metrics()
    assertLikeReport(parse(text), report)
    assert.match(text, /^# TYPE millrace_items_in counter$/m, time)
    assert.match(text, /^millrace_stage_service_seconds_bucket\{/m, time)
    assert.doesNotMatch(text, /_total_total/, time)
  }
  remove()
  assert.equal(await register.metrics(), '\n# EOF\n')
})

test('a registry that was cleared takes runs anew, and those it had before stay out', async () => {
  const register = new Registry()
  const run = watch(start(flow()))
  const removeBefore = registerMetrics(run as PipelineManager, register)
  await reportOf(run)
  register.clear()
  assert.equal((await register.metrics()).trim(), '')
  const next = watch(start(flow()))
  const remove = registerMetrics(next as PipelineManager, register)
  const reportOfNext = await reportOf(next)
  assertLikeReport(parse(await register.metrics()), reportOfNext)
  removeBefore()
  assertLikeReport(parse(await register.metrics()), reportOfNext)
  remove()
  assert.equal((await register.metrics()).trim(), '')
})

test('a registry that is reset has what a run counts as it was', async () => {
  const register = new Registry()
  const own = new Counter({ name: 'own', help: 'The application has it.', registers: [register] })
  const run = watch(start(flow()))
  registerMetrics(run as PipelineManager, register)
  const report = await reportOf(run)
  own.inc()
  register.resetMetrics()
  const text = await register.metrics()
  assert.match(text, /^own 0$/m)
  assertLikeReport(parse(text), report)
})

async function get(url: string, headers = {}, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, method, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('they are served on this machine, under its own names only', async () => {
  const run = watch(start(flow()))
  const report = await reportOf(run)
  await using server = await serveMetrics(run as PipelineManager, { port: 0 })
  const { status, text } = await get(server.url)
  assert.equal(status, 200)
  assertLikeReport(parse(text), report)
  assert.equal((await get(server.url, { host: 'evil.example' })).status, 421)
  assert.equal((await get(server.url, {}, 'POST')).status, 405)
  assert.equal((await get(new URL('/', server.url).href)).status, 404)
  await assert.rejects(serveMetrics(run as PipelineManager, { port: server.port }), { code: 'EADDRINUSE' })
  await assert.rejects(
    serveMetrics(run as PipelineManager, { port: -1 }),
    /port must be an integer from 0 to/,
  )
  await assert.rejects(serveMetrics(run as PipelineManager, { port: 0, hots: '::1' } as { port: number }), {
    code: 'MILLRACE_UNKNOWN_OPTION',
    message: 'serveMetrics: unknown option "hots"; known are port, host',
  })
  const host = '0.0.0.0' as '::1'
  await assert.rejects(serveMetrics(run as PipelineManager, undefined as never), {
    code: 'MILLRACE_INVALID_OPTION',
  })
  await assert.rejects(serveMetrics(run as PipelineManager, { port: 0, host }), /host must be one of 127/)
})
