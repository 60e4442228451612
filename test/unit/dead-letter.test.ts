import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeDeadLetter } from '../../src/host/dead-letter.ts'
import { makeFailure } from '../../src/observe/failure.ts'

const place = { stage: 'parse', worker: 2, item: 17 }
const now = new Date('2026-01-31T12:00:00.000Z')

test('a dead letter says what failed, where, why, when, and with what input', () => {
  const failure = makeFailure('MILLRACE_STAGE_FAILED', 'failed', place, new TypeError('no good'))
  const letter = makeDeadLetter(failure, { id: 1 }, 3, now)
  const { error, ...rest } = letter
  assert.deepEqual(rest, {
    schema: 'millrace.dead-letter/1',
    ...place,
    attempts: 3,
    code: 'MILLRACE_STAGE_FAILED',
    time: '2026-01-31T12:00:00.000Z',
    input: { id: 1 },
  })
  assert.deepEqual([error.name, error.message], ['TypeError', 'no good'])
})

test('where nothing was thrown, the failure itself is the error', () => {
  const message = 'stage "parse": item 17 killed its worker 3 times'
  const letter = makeDeadLetter({ code: 'MILLRACE_STAGE_FAILED', ...place, message }, 'x', 3, now)
  assert.equal(letter.error.message, message)
  assert.equal(letter.error.fields?.code, 'MILLRACE_STAGE_FAILED')
})

test('an item without a number has the number 0', () => {
  const letter = makeDeadLetter({ code: 'MILLRACE_BUG', stage: 's', worker: 0, message: 'm' }, 1, 1, now)
  assert.equal(letter.item, 0)
})
