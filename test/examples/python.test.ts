import assert from 'node:assert/strict'
import { runExample } from '../support/example.ts'
import { test } from '../support/harness.ts'

test('python: a number of pictures that there cannot be is refused', { deadlineMs: 120_000 }, async (t) => {
  for (const pictures of ['-3', '1.5']) {
    const { code, stderr } = await runExample(t, 'python', `--pictures=${pictures}`)
    assert.match(stderr, /option "pictures" must be an integer/)
    assert.equal(code, 2)
  }
})
