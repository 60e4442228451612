/** How long items take: which are measured, where they are counted, and what is said of them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  SERVICE_BOUNDS_MS,
  SERVICE_BYTES,
  ServiceSampler,
  ServiceTimes,
} from '../../src/observe/service-times.ts'
import { randomFrom } from '../support/random.ts'

const makeTimes = () => new ServiceTimes(new SharedArrayBuffer(SERVICE_BYTES), 0)

test('bounds go from 1 µs to 800 s, each a quarter more than the last', () => {
  assert.deepEqual(
    [SERVICE_BOUNDS_MS[0], SERVICE_BOUNDS_MS[4], SERVICE_BOUNDS_MS.at(-1)],
    [0.001, 0.0025, 800_000],
  )
  for (const [index, bound] of SERVICE_BOUNDS_MS.slice(1).entries()) {
    const step = bound / SERVICE_BOUNDS_MS[index]
    assert.ok(step > 1.24 && step < 1.29, `${bound}: ${step}`)
  }
})

test('a time lies in the bucket of the next bound, and what is longer than all in the last', () => {
  const times = makeTimes()
  for (const ms of [0, 0.001, 0.0011, 5, 5.1, 1e7]) times.add(ms, 1)
  const all = ServiceTimes.total([times])
  assert.deepEqual(
    [0.001, 0.00125, 5, 6.3, 800_000].map((ms) => all.upTo(ms)),
    [2, 3, 4, 5, 5],
  )
  assert.equal(all.count, 6)
  assert.equal(all.quantile(1), 800_000)
})

test('quantiles are within an eighth of the true ones, over several workers', () => {
  const random = randomFrom(7)
  const workers = [makeTimes(), makeTimes()]
  const all = Array.from({ length: 10_000 }, (_, index) => {
    const ms = Math.exp(8 * random() - 4)
    workers[index % 2].add(ms, 1)
    return ms
  }).toSorted((a, b) => a - b)
  const total = ServiceTimes.total(workers)
  for (const part of [0.01, 0.5, 0.9, 0.99]) {
    const ratio = total.quantile(part) / all[Math.floor(part * all.length)]
    assert.ok(ratio > 0.88 && ratio < 1.13, `${part}: ${ratio}`)
  }
  assert.ok(Math.abs(total.sumMs - all.reduce((sum, ms) => sum + ms, 0)) < 1e-6)
  assert.equal(ServiceTimes.total([]).quantile(0.5), 0)
})

/** A clock that stands still until it is told. */
function makeClock(t: TestContext): { nowMs: number } {
  const clock = { nowMs: 1000 }
  t.mock.method(performance, 'now', () => clock.nowMs)
  return clock
}

/** Measures items that take so long, one after the other. */
function measure(clock: { nowMs: number }, items: readonly number[]) {
  const sampler = new ServiceSampler()
  const times = makeTimes()
  let measured = 0
  for (const ms of items) {
    const begun = sampler.begin()
    clock.nowMs += ms
    if (begun === undefined) continue
    measured++
    times.add(sampler.end(begun), begun.items)
  }
  return { measured, total: ServiceTimes.total([times]) }
}

test('items of 0.2 ms and more are all measured; of quick ones a few, which stand for the others', (t) => {
  const clock = makeClock(t)
  const slow = measure(clock, new Array(1000).fill(0.25))
  assert.deepEqual([slow.measured, slow.total.count], [1000, 1000])
  const quick = measure(clock, new Array(100_000).fill(0.001))
  assert.ok(quick.measured > 300 && quick.measured < 1500, `${quick.measured}`)
  assert.ok(quick.total.count > 99_000 && quick.total.count <= 100_000, `${quick.total.count}`)
})

test('what is rare or comes in turn is seen as often as it is', (t) => {
  const clock = makeClock(t)
  // One in 64 takes long; every second of the others twice the time of the first.
  const items = Array.from({ length: 300_000 }, (_, index) =>
    index % 64 === 0 ? 0.15 : 0.002 * (1 + (index % 2)),
  )
  const { total } = measure(clock, items)
  const mean = items.reduce((sum, ms) => sum + ms, 0) / items.length
  assert.ok(Math.abs(total.sumMs / total.count / mean - 1) < 0.15, `${total.sumMs / total.count}, ${mean}`)
  const rare = 1 - total.upTo(0.1) / total.count
  assert.ok(rare > 0.01 && rare < 0.022, `${rare}`)
})

test('of several in hand each is measured by itself, and none is forgotten', (t) => {
  const clock = makeClock(t)
  const sampler = new ServiceSampler()
  const inHand = []
  let counted = 0
  for (let item = 0; item < 5000; item++) {
    const begun = sampler.begin()
    if (begun !== undefined) inHand.push(begun)
    clock.nowMs += 0.0005
    if (item % 8 !== 7) continue
    for (const one of inHand.splice(0)) {
      sampler.end(one)
      counted += one.items
    }
  }
  assert.ok(counted > 4500 && counted <= 5000, `${counted}`)
})

test('waiting for room is not counted', (t) => {
  const clock = makeClock(t)
  const sampler = new ServiceSampler()
  const begun = sampler.begin(40)
  clock.nowMs += 100
  assert.ok(begun !== undefined)
  assert.equal(sampler.end(begun, 130), 10)
})
