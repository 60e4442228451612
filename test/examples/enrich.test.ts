// The whole example: its service, its kills, its own comparison at the end.
import assert from 'node:assert/strict'
import { runExample } from '../support/example.ts'
import { test } from '../support/harness.ts'

test('enrich: a service that fails 5 % of the calls, three kills, and every order is where it belongs', {
  deadlineMs: 200_000,
}, async (t) => {
  const { code, stdout, stderr } = await runExample(t, 'enrich', '--rows', '12000', '--kills', '3')
  assert.match(stdout, /orders in the database: 11,760 of 11,760 valid ones/, stderr)
  assert.match(stdout, /dead letters: 240 of 240 broken ones/)
  assert.equal(stdout.match(/killed it/g)?.length, 3)
  assert.doesNotMatch(stderr, /Warning/)
  assert.equal(code, 0)
})
