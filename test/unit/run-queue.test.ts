import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DONE, GONE, PARKED, QueueMemory } from '../../src/queue/queue-memory.ts'
import { type QueuePlace, RunQueue } from '../../src/run/run-queue.ts'

const END = { item: 0, source: 0, order: 0, madeBy: 0, part: 0 }

function queueWith(consumers: number): RunQueue {
  const shape = { name: 'test', capacity: 8, capacityBytes: 4096, producers: 2, consumers }
  const place: QueuePlace = {
    from: 'a',
    to: 'b',
    branch: undefined,
    kind: 'items',
    overflow: 'block',
    isPartitioned: false,
  }
  return new RunQueue(QueueMemory.allocate(shape, undefined), place)
}

test('a producer may put something until it has left its end', () => {
  const queue = queueWith(1)
  assert.ok(queue.mayBePutBy(0), 'it has not begun')
  queue.memory.claim('producer', 1)
  queue.memory.laneWriter(0, 0).tryPut('an item', END)
  assert.ok(queue.mayBePutBy(0))
  for (const [producer, state] of ([DONE, GONE] as const).entries()) {
    queue.memory.claim('producer', producer + 1)
    queue.memory.leave('producer', producer, state)
    assert.equal(queue.mayBePutBy(producer), false)
  }
})

test('one that retired puts nothing, until it is launched again', () => {
  const queue = queueWith(1)
  queue.memory.claim('producer', 1)
  queue.memory.park('producer', 0)
  assert.equal(queue.memory.state('producer', 0), PARKED)
  assert.equal(queue.mayBePutBy(0), false)
  queue.memory.openEnd('producer', 0)
  assert.ok(queue.mayBePutBy(0))
})

// Its consumer could take SENTINEL and be gone before the producer's thread came to leave its end: the run took that for an
// end before its time, and drained.
test('one whose SENTINEL lies in every lane puts nothing more, though its end is not left yet', () => {
  const queue = queueWith(2)
  queue.memory.claim('producer', 1)
  queue.memory.laneWriter(0, 0).tryPut('an item', END)
  queue.memory.laneWriter(0, 0).putEnd(END)
  assert.ok(queue.mayBePutBy(0), 'the other consumer is not told yet')
  queue.memory.laneWriter(0, 1).putEnd(END)
  assert.equal(queue.mayBePutBy(0), false)
  assert.ok(queue.mayBePutBy(1))
})
