import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FailureBudget } from '../../src/run/failure-budget.ts'

function noteAll(budget: FailureBudget, times: number[]): boolean[] {
  return times.map((now) => budget.note(now))
}

test('a number allows so many failures in all', () => {
  assert.deepEqual(noteAll(new FailureBudget(2), [0, 1e6, 2e6, 3e6]), [true, true, false, false])
  assert.deepEqual(noteAll(new FailureBudget(0), [5]), [false])
})

test('a window allows so many failures within its time', () => {
  const window = { count: 2, withinMs: 100 }
  assert.deepEqual(noteAll(new FailureBudget(window), [0, 50, 99]), [true, true, false])
  assert.deepEqual(noteAll(new FailureBudget(window), [0, 50, 100, 149, 249]), [
    true,
    true,
    true,
    false,
    true,
  ])
  assert.deepEqual(noteAll(new FailureBudget({ count: 0, withinMs: 100 }), [0]), [false])
})

test('it is the same as counting all failures of the window, whatever their times', () => {
  const cases = fc.record({
    count: fc.integer({ min: 0, max: 5 }),
    withinMs: fc.integer({ min: 1, max: 20 }),
    steps: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 60 }),
  })
  fc.assert(
    fc.property(cases, ({ count, withinMs, steps }) => {
      const budget = new FailureBudget({ count, withinMs })
      const times: number[] = []
      let now = 0
      for (const step of steps) {
        now += step
        times.push(now)
        const recent = times.filter((time) => now - time < withinMs).length
        assert.equal(budget.note(now), recent <= count)
      }
    }),
  )
})
