// Times that are for ever, or longer than a timer can count: Node's own fires after a millisecond then.
import assert from 'node:assert/strict'
import { setDeadline } from '../../src/deadline.ts'
import { withTimeLimit } from '../../src/host/time-limit.ts'
import { test } from '../support/harness.ts'

test('a deadline comes when it is due; one that is for ever does not', async () => {
  for (const ms of [Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40])
    assert.equal(
      setDeadline(() => assert.fail(), ms),
      undefined,
    )
  const longest = setDeadline(() => assert.fail(), 2 ** 31 - 1)
  assert.ok(longest)
  clearTimeout(longest)
  await new Promise<void>((resolve) => setDeadline(resolve, 0))
})

test('what may take for ever is not late', async () => {
  const slow = new Promise((resolve) => setTimeout(resolve, 10, 'done'))
  assert.equal(await withTimeLimit(slow, Number.POSITIVE_INFINITY, () => true), 'done')
})
