// The whole example: its service, its kills, its own comparison at the end.
import assert from 'node:assert/strict'
import process from 'node:process'
import { runExample } from '../support/example.ts'
import { test } from '../support/harness.ts'

/** Each kill is one more start, and starts are what it takes the time for: MILLRACE_EXAMPLES=full for more of both. */
const isFull = process.env.MILLRACE_EXAMPLES === 'full'
const [rows, kills] = isFull ? [60_000, 3] : [12_000, 1]

test(`enrich: a service that fails 5 % of the calls, ${kills} kills, and every order is where it belongs`, {
  deadlineMs: 200_000,
}, async (t) => {
  const { code, stdout, stderr } = await runExample(t, 'enrich', '--rows', `${rows}`, '--kills', `${kills}`)
  // One of fifty is broken.
  const count = (part: number) => (rows * part).toLocaleString('en-US')
  assert.ok(stdout.includes(`orders in the database: ${count(0.98)} of ${count(0.98)} valid ones`), stderr)
  assert.ok(stdout.includes(`dead letters: ${count(0.02)} of ${count(0.02)} broken ones`), stdout)
  assert.equal(stdout.match(/killed it/g)?.length, kills)
  assert.doesNotMatch(stderr, /Warning/)
  assert.equal(code, 0)
})
