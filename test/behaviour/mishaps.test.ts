// Threads that die at the worst moment: nothing is lost or doubled, and the report knows.
import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import mishaps, { allocateMishaps, type MishapOptions, notesIn } from '../fixtures/pipelines/mishaps.ts'
import { reportOf } from '../support/balance.ts'
import { test } from '../support/harness.ts'

async function run(form: MishapOptions['form']) {
  const memory = allocateMishaps()
  const report = await reportOf(start(mishaps, { form, memory }))
  return { report, notes: notesIn(memory) }
}

test('a batch is not taken for one that an earlier life had finished', async () => {
  const { report, notes } = await run('between batches')
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(notes, [3, 7, 11])
})
