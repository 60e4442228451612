import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { ROOT } from '../support/places.ts'

/** Joined and run by verify/run.mjs, as `npm run verify` is. */
test('the explorer has shipped code do the same operations as it does by itself', () => {
  const said = execFileSync(process.execPath, ['verify/run.mjs'], {
    cwd: ROOT,
    env: { ...process.env, ENTRY: 'same-operations.ts' },
    encoding: 'utf8',
  })
  const { explored, shipped } = JSON.parse(said) as { explored: string[]; shipped: string[] }
  assert.ok(shipped.length > 50, said)
  assert.deepEqual(explored, shipped)
})
