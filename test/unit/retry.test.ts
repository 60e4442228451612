import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryDelayMs } from '../../src/host/retry.ts'

const steady = { delayMs: 100, factor: 2, jitter: 0, maxDelayMs: 1000 }

test('each delay is factor times the one before, up to maxDelayMs', () => {
  const delays = [1, 2, 3, 4, 5, 6].map((attempt) => retryDelayMs(steady, attempt))
  assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000])
})

test('jitter is the share of the delay that chance may take away', () => {
  const at = (jitter: number, chance: number) => retryDelayMs({ ...steady, jitter }, 2, () => chance)
  assert.deepEqual([at(0.5, 0), at(0.5, 0.5), at(1, 0), at(1, 0.25)], [100, 150, 0, 50])
})

test('chance never makes a delay longer than maxDelayMs', () => {
  assert.equal(retryDelayMs({ ...steady, jitter: 1 }, 50, () => 1 - Number.EPSILON) <= 1000, true)
})

test('a delay of 0 stays 0, also where the factor overflows', () => {
  assert.equal(retryDelayMs({ ...steady, delayMs: 0 }, 5000), 0)
  assert.equal(retryDelayMs(steady, 5000), 1000)
})

test('without a random of its own, the delay is within its bounds', () => {
  for (let round = 0; round < 100; round++) {
    const delay = retryDelayMs({ ...steady, jitter: 0.2 }, 1)
    assert.ok(delay >= 80 && delay <= 100, `${delay}`)
  }
})
