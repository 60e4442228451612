// What workers tell their run, from several ports, in the order in which they told it.
import assert from 'node:assert/strict'
import { encodeNotice, type ItemNotice } from '../../src/host/notice.ts'
import { POSTED, type PostedNotice } from '../../src/host/notice-port.ts'
import { RunNotices } from '../../src/run/run-notices.ts'
import { test } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const TRACE = { traceparent: '', sampleEvery: 1 }
const place = { pipeline: 'p', worker: 0, item: 1, source: 0, attempt: 1, items: 1, traced: [] }
const told = (order: number, stage: string): PostedNotice => {
  const notice: ItemNotice = { kind: 'item', ...place, stage, startMs: 0, endMs: 0 }
  return [order, encodeNotice(notice)]
}

test('what comes while the ports are emptied waits for what was told before it', async () => {
  const stages: string[] = []
  const notices = new RunNotices(undefined, ({ stage }) => stages.push(stage))
  const [first, second] = [notices.connect(true, TRACE), notices.connect(true, TRACE)]
  const order = new Int32Array(first?.task.order as SharedArrayBuffer)
  try {
    // As if both had been told after the emptying began, the one in the port that had been looked at already.
    second?.task.port?.postMessage(told(1, 'after'))
    notices.drain()
    assert.deepEqual(stages, [])
    first?.task.port?.postMessage(told(0, 'before'))
    Atomics.store(order, POSTED, 2)
    notices.drain()
    assert.deepEqual(stages, ['before', 'after'])
    // What is kept is taken by itself, without another that would have it looked for.
    second?.task.port?.postMessage(told(2, 'last'))
    notices.drain()
    Atomics.store(order, POSTED, 3)
    await until(() => stages.length === 3)
    assert.equal(stages[2], 'last')
  } finally {
    notices.close()
    first?.task.port?.close()
    second?.task.port?.close()
  }
})
