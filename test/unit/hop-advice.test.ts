import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviseOnHops } from '../../src/observe/hop-advice.ts'

const hop = { stage: 'upper', from: 'reader', samples: { count: 10_000, workMs: 1, hopMs: 4 } }

test('a hop that takes longer than the work it moves is named, with both figures', () => {
  assert.deepEqual(adviseOnHops([hop]), [
    {
      stage: 'upper',
      workMicros: 0.1,
      hopMicros: 0.4,
      why: 'its work takes 0.10 µs an item, the hop to its thread 0.40 µs: as .map() of "reader" it would cost less',
    },
  ])
})

test('a hop that is cheaper than the work is worth it', () => {
  assert.deepEqual(adviseOnHops([{ ...hop, samples: { count: 10_000, workMs: 5, hopMs: 4 } }]), [])
})

test('nothing is said before enough calls were timed, nor where none could be', () => {
  assert.deepEqual(adviseOnHops([{ ...hop, samples: { count: 199, workMs: 0.01, hopMs: 0.04 } }]), [])
  assert.deepEqual(adviseOnHops([{ ...hop, samples: { count: 0, workMs: 0, hopMs: 0 } }]), [])
})
