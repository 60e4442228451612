// Stages in processes, of the built package.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { start } from '../../src/index.ts'
import ends from '../fixtures/pipelines/ends-in-processes.ts'
import { assertBalanced } from '../support/balance.ts'
import { makeFolder } from '../support/folder.ts'
import { test, watch } from '../support/harness.ts'

test('a source, a stage and a sink in a process each, with a logger and a small heap', {
  deadlineMs: 60_000,
}, async (t) => {
  const file = makeFolder(t)('lines')
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const options = { nice: 1, resourceLimits: { maxOldGenerationSizeMb: 96 } }
  const run = watch(start(ends, { items: 5000, file, options }, { logger: silent }))
  assertBalanced(await run.join())
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const items = lines.slice(0, -1).map((line) => JSON.parse(line))
  assert.deepEqual(
    items.map(({ number }) => number),
    Array.from({ length: 5000 }, (_, at) => at + 1),
  )
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), { closed: 5000 })
  const [{ source, pid, sink }] = items
  assert.equal(new Set([source, pid, sink, process.pid]).size, 4)
})
