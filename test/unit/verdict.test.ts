/** What becomes of the item that a dead worker had in hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hand, Judge } from '../../src/run/verdict.ts'

const CRASH = { why: 'exit code 1', timeoutMs: undefined }
const LATE = { why: 'terminated', timeoutMs: 50 }

function hand(more: Partial<Hand> = {}): Hand {
  return { ticket: 7, item: 8, held: 1, attempt: 0, settled: 0, ...more }
}

test('an item is tried again until it has killed its worker poisonAfter times', () => {
  const judge = new Judge({ poisonAfter: 3, attempts: 1 })
  assert.deepEqual(judge.judge(hand(), CRASH), { ticket: 7, attempts: 1, alone: 0 })
  assert.deepEqual(judge.judge(hand(), CRASH), { ticket: 7, attempts: 2, alone: 0 })
  const { fail, attempts } = judge.judge(hand(), CRASH) ?? {}
  assert.equal(attempts, 3)
  assert.equal(fail?.code, 'MILLRACE_POISON_ITEM')
  assert.match(fail?.message ?? '', /died 3 times .*: exit code 1$/)
})

test('the deaths of different items do not add up, not even where a ticket came again', () => {
  const judge = new Judge({ poisonAfter: 2, attempts: 1 })
  for (let item = 1; item < 10; item++) {
    assert.equal(judge.judge(hand({ item, ticket: item % 2 }), CRASH)?.fail, undefined)
  }
  judge.judge(hand({ ticket: 5, item: 1 }), CRASH)
  assert.equal(judge.judge(hand({ ticket: 5, item: 4_194_305 }), CRASH)?.fail, undefined)
})

test('a death with empty hands is nobody’s fault', () => {
  const judge = new Judge({ poisonAfter: 2, attempts: 1 })
  judge.judge(hand(), CRASH)
  assert.equal(judge.judge(hand({ ticket: undefined, item: 0, held: 0 }), CRASH), undefined)
  assert.equal(judge.judge(hand(), CRASH)?.fail, undefined)
})

test('with several in hand nobody is blamed; they are processed one at a time, and then it shows', () => {
  const judge = new Judge({ poisonAfter: 1, attempts: 1 })
  assert.deepEqual(judge.judge(hand({ held: 4 }), CRASH), { ticket: 7, attempts: 1, alone: 4 })
  // Two of the four went well.
  const verdict = judge.judge(hand({ ticket: 9, item: 10, settled: 2 }), CRASH)
  assert.equal(verdict?.alone, 2)
  assert.equal(verdict?.fail?.code, 'MILLRACE_POISON_ITEM')
  assert.equal(judge.judge(hand({ ticket: 11, item: 12, settled: 9 }), CRASH)?.alone, 0)
})

test('a batch that kills its worker when it is processed alone fails as a whole', () => {
  const judge = new Judge({ poisonAfter: 2, attempts: 1 })
  const batch = hand({ ticket: 0x80000001, held: 10 })
  assert.deepEqual(
    [1, 2, 3].map(() => judge.judge(batch, CRASH)?.fail?.code),
    [undefined, undefined, 'MILLRACE_POISON_ITEM'],
  )
})

test('several in hand of which none was begun are processed one at a time too', () => {
  const judge = new Judge({ poisonAfter: 3, attempts: 1 })
  const verdict = judge.judge(hand({ ticket: undefined, item: 0, held: 3 }), CRASH)
  assert.deepEqual(verdict, { ticket: -1, attempts: 0, alone: 3 })
})

test('an item that took too long is tried as often as retry says, and is no poison', () => {
  const judge = new Judge({ poisonAfter: 1, attempts: 2 })
  assert.equal(judge.judge(hand({ attempt: 1 }), LATE)?.fail, undefined)
  const verdict = judge.judge(hand({ attempt: 2 }), LATE)
  assert.deepEqual(verdict, {
    ticket: 7,
    attempts: 2,
    alone: 0,
    fail: { code: 'MILLRACE_ITEM_TIMEOUT', message: 'it took longer than 50 ms' },
  })
})

test('tries that the worker itself counted are not lost', () => {
  const judge = new Judge({ poisonAfter: 9, attempts: 5 })
  assert.equal(judge.judge(hand({ attempt: 3 }), CRASH)?.attempts, 3)
  assert.equal(judge.judge(hand({ attempt: 0 }), CRASH)?.attempts, 4)
})

test('of several in hand, none is blamed for taking too long before it does so alone', () => {
  const judge = new Judge({ poisonAfter: 3, attempts: 1 })
  assert.deepEqual(judge.judge(hand({ held: 2 }), LATE), { ticket: 7, attempts: 1, alone: 2 })
  assert.equal(judge.judge(hand(), LATE)?.fail?.code, 'MILLRACE_ITEM_TIMEOUT')
})
