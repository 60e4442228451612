// Threads that die at the worst moment: nothing is lost or doubled, and the report knows.
import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import mishaps, { allocateMishaps, type MishapOptions, notesIn } from '../fixtures/pipelines/mishaps.ts'
import { reportOf } from '../support/balance.ts'
import { Gates } from '../support/gates.ts'
import { test } from '../support/harness.ts'
import { until } from '../support/turn.ts'

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

test('the item that a worker took out of a queue with drop-old is lost with it, and counted', async () => {
  const { report, notes } = await run('drop-old')
  assert.equal(report.outcome, 'completed')
  const { done, abandoned } = report.stages[1]
  assert.deepEqual([done, abandoned], [5, 1])
  assert.deepEqual(notes, [1, 2, 4, 5, 6])
})

test('a worker that is taken away flushes what it has gathered, also while the source has nothing to give', async () => {
  const memory = allocateMishaps()
  const counting = start(mishaps, { form: 'counting', memory })
  await until(
    () =>
      counting.state === 'running' &&
      counting.stages[1].account.done + counting.stages[1].account.dropped === 10,
  )
  await counting.stages[1].setWorkers(1)
  const early = notesIn(memory)
  new Gates(memory).count(0)
  const report = await reportOf(counting)
  assert.equal(report.outcome, 'completed')
  const notes = notesIn(memory)
  assert.equal(early.length <= 1 && notes.length === 2, true)
  assert.equal(notes[0] + notes[1], 20)
})
