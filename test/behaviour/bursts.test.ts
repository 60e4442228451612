// A worker in a stream of quick items publishes several at once. Nobody must have to wait for that.
import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import bursts from '../fixtures/pipelines/bursts.ts'
import { test, watch } from '../support/harness.ts'

// More than V8 needs to compile the loop, so that the bursts are long when the waiting begins.
const ITEMS = 30_007

for (const waits of ['source', 'stage'] as const) {
  test(`what a quick stream has put is delivered also if its ${waits} then waits for just that in user code`, async () => {
    const seen = new SharedArrayBuffer(4)
    const report = await watch(start(bursts, { waits, items: ITEMS, seen })).join()
    assert.equal(report.outcome, 'completed')
    assert.equal(Atomics.load(new Int32Array(seen), 0), ITEMS)
  })
}
