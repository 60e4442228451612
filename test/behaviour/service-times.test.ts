// How long stages work on their items: in the report and for Prometheus.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { type PipelineManager, pipeline, start } from '../../src/index.ts'
import { registerMetrics, renderMetrics } from '../../src/prometheus.ts'
import { simulate } from '../../src/testing.ts'
import slow from '../fixtures/pipelines/slow-items.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

/** Whether it is that, as exactly as the histogram is. */
const isAbout = (value: number | undefined, ms: number): boolean =>
  value !== undefined && value > 0.87 * ms && value < 1.14 * ms

test('an item that takes 50 ms is told to, whatever waits before and after it', async () => {
  const items = Array.from({ length: 100 }, (_, index) => index + 1)
  const blueprint = pipeline<number>('times')
    .stage(
      'work',
      async (number) => {
        await sleep(number % 50 === 0 ? 400 : 50)
        return number
      },
      { capacity: 1 },
    )
    .stage('many', async function* (number) {
      await sleep(20)
      yield number
      yield number
    })
    .sink('slow', () => sleep(200), { capacity: 1 })
  const { report } = await simulate(blueprint, {}, { input: items })
  const [input, work, many, sink] = report.stages
  assert.equal(input.service, undefined)
  assert.ok(isAbout(work.service?.p50, 50), JSON.stringify(work.service))
  assert.ok(isAbout(work.service?.p99, 400), JSON.stringify(work.service))
  assert.ok(isAbout(work.service?.mean, 57), JSON.stringify(work.service))
  // What it waited for room is not its own.
  assert.ok(many.blockedMs > 30_000)
  assert.ok(isAbout(many.service?.p50, 20), JSON.stringify(many.service))
  assert.ok(isAbout(sink.service?.p50, 200), JSON.stringify(sink.service))
})

test('each try is counted by itself, also of promises side by side and of batches', async () => {
  const blueprint = pipeline<number>('tries')
    .stage(
      'retried',
      async (number, ctx) => {
        await sleep(ctx.attempt === 1 ? 10 : 30)
        if (ctx.attempt === 1) throw new Error('again')
        return number
      },
      { retry: { attempts: 2, delayMs: 5000 } },
    )
    .stage('side-by-side', (number) => sleep(80, number), { concurrency: 4 })
    .batch({ size: 4 })
    .sink('batches', () => sleep(60))
  const { report } = await simulate(blueprint, {}, { input: [1, 2, 3, 4, 5, 6, 7, 8] })
  const service = Object.fromEntries(report.stages.map((stage) => [stage.name, stage.service]))
  assert.ok(isAbout(service.retried?.mean, 20), JSON.stringify(service))
  assert.ok(isAbout(service['side-by-side']?.p50, 80), JSON.stringify(service))
  assert.ok(isAbout(service.batches?.p50, 60), JSON.stringify(service))
})

test('a process measures its items itself: not how long they are under way', {
  deadlineMs: 50_000,
}, async () => {
  const run = watch(start(slow, { items: 40, busyMs: 4, on: 'process' }, { startMs: 40_000 }))
  const report = await reportOf(run)
  const work = report.stages.find(({ name }) => name === 'work')
  assert.ok(work?.service !== undefined && work.service.p50 >= 3.15, JSON.stringify(work))
  // Sixteen are under way at a time: the time of each is a sixteenth of that.
  assert.ok(work.service.mean * 40 <= work.busyMs + work.starvedMs + work.blockedMs + 1, JSON.stringify(work))
  const text = renderMetrics(run as PipelineManager)
  assert.match(text, /^millrace_stage_service_seconds_count\{[^}]*stage="work"[^}]*\} 40$/m)
})

test('Prometheus gets a histogram: buckets that grow, the last of them all, and the sum', async () => {
  const register = new Registry()
  const items = Array.from({ length: 20 }, (_, index) => index)
  const blueprint = pipeline('p')
    .source('items', items, { on: 'loop' })
    .sink('end', () => {}, { on: 'loop' })
  const run = watch(start(blueprint)) as PipelineManager
  const remove = registerMetrics(run, register)
  await reportOf(run)
  const own = renderMetrics(run)
  const theirs = await register.metrics()
  remove()
  for (const text of [own, theirs]) {
    assert.match(text, /^# TYPE millrace_stage_service_seconds histogram$/m)
    const found = [...text.matchAll(/^millrace_stage_service_seconds_bucket\{.*le="(.*?)".*\} (\d+)$/gm)]
    const counts = found.map(([, , count]) => Number(count))
    assert.deepEqual(
      found.map(([, le]) => le),
      [
        ...['0.00001', '0.000025', '0.00005', '0.0001', '0.00025', '0.0005', '0.001', '0.0025', '0.005'],
        ...['0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '25', '50', '100', '+Inf'],
      ],
    )
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    )
    assert.equal(counts.at(-1), 20)
    assert.match(text, /^millrace_stage_service_seconds_count\{.*\} 20$/m)
    assert.match(text, /^millrace_stage_service_seconds_sum\{.*\} [\d.e-]+$/m)
    // A source is handed nothing.
    assert.doesNotMatch(text, /service_seconds.*stage="items"/)
  }
})
