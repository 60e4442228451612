import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RestartBudget } from '../../src/run/restart-budget.ts'

const options = { limit: 3, withinMs: 1000, delayMs: 10, factor: 2, maxDelayMs: 30 }

test('delays grow from restart to restart, up to maxDelayMs', () => {
  const budget = new RestartBudget({ ...options, limit: 10 })
  assert.deepEqual(
    [0, 50, 100, 150].map((now) => budget.next(now)),
    [10, 20, 30, 30],
  )
})

test('there are no more than limit restarts within the window', () => {
  const budget = new RestartBudget(options)
  assert.deepEqual(
    [0, 100, 200, 300].map((now) => budget.next(now)),
    [10, 20, 30, undefined],
  )
})

test('a restart is out of the window withinMs after it happened, its delay counted', () => {
  const budget = new RestartBudget(options)
  for (const now of [0, 100, 200]) budget.next(now)
  assert.equal(budget.next(1009), undefined, 'the first one happened at 10')
  assert.equal(budget.next(1010), 30)
  assert.equal(budget.next(1011), undefined)
})

test('the back-off starts anew after withinMs without restarts, not before', () => {
  const early = new RestartBudget(options)
  early.next(0)
  assert.equal(early.next(1009), 20)
  const late = new RestartBudget(options)
  late.next(0)
  assert.equal(late.next(1010), 10)
})

test('a limit of 0 allows none', () => {
  assert.equal(new RestartBudget({ ...options, limit: 0 }).next(0), undefined)
})

test('delays longer than the window do not make the limit void', () => {
  const budget = new RestartBudget({ ...options, delayMs: 5000, maxDelayMs: 5000 })
  const restarts: (number | undefined)[] = []
  for (let now = 0; restarts.length < 4; now += 5001) restarts.push(budget.next(now))
  assert.deepEqual(restarts, [5000, 5000, 5000, 5000], 'one at a time is within the limit of 3')
  const single = new RestartBudget({ ...options, limit: 1, delayMs: 5000, maxDelayMs: 5000 })
  assert.deepEqual([single.next(0), single.next(5001)], [5000, undefined])
})

test('without a limit, a worker may be restarted for ever', () => {
  const budget = new RestartBudget({ ...options, limit: Number.POSITIVE_INFINITY })
  for (let now = 0; now < 100_000; now++) assert.notEqual(budget.next(now), undefined)
})
