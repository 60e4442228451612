// The demo, tested without threads: `node --import tsx --test examples/demo/pipeline.test.ts`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from 'millrace/testing'
import demo from './pipeline.ts'

/** Keeps what would be written. */
const replace = { writer: () => {} }

test('each line comes out in capitals and turned round', async () => {
  const { delivered } = await simulate(demo, {}, { input: ['abc', 'Éa'], replace })
  assert.deepEqual(delivered('writer'), ['CBA', 'AÉ'])
})

test('a line that fails ends the run, and is named', async () => {
  const { outcome, failures, items } = await simulate(
    demo,
    { 'fail-at': 3 },
    { input: ['a', 'b', 'c', 'd'], replace },
  )
  assert.equal(outcome, 'failed')
  assert.deepEqual([failures[0].stage, failures[0].item], ['reverse', 3])
  assert.equal(items[2].outcome, 'failed')
})

test('a thread that dies is started again, and no line is lost', async () => {
  const { outcome, delivered, report } = await simulate(
    demo,
    {},
    { input: ['a', 'b', 'c'], replace, faults: [{ stage: 'upper', item: 2, do: 'crash' }] },
  )
  assert.equal(outcome, 'completed')
  assert.deepEqual(delivered('writer'), ['A', 'B', 'C'])
  assert.equal(report.stages.find(({ name }) => name === 'upper')?.restarts, 1)
})
