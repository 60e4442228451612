import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LowWater } from '../../src/queue/low-water.ts'
import { DONE, QueueMemory } from '../../src/queue/queue-memory.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'

function allocate(producers: number, consumers: number): QueueMemory {
  const shape = { name: 'test', capacity: 8, capacityBytes: 8192, producers, consumers }
  return QueueMemory.allocate(shape, new StopEvent())
}

const CHAIN = { first: [0], next: [[1], []] }
const origin = (item: number, source = 0) => ({ item, source, order: item | 0, madeBy: 0, part: 0 })

test('the oldest item under way is found in any lane of any queue, in hand or not', () => {
  const [first, second] = [allocate(1, 2), allocate(2, 1)]
  const water = new LowWater([first, second], 1, CHAIN)
  assert.equal(water.oldest(0), 1)
  assert.equal(water.oldest(9), 10, 'all that was read is done')
  first.laneWriter(0, 0).tryPut('x', origin(7, 1))
  first.laneWriter(0, 1).tryPut('x', origin(5, 1))
  first.laneWriter(0, 1).tryPut('x', origin(8, 1))
  second.laneWriter(1, 0).tryPut('x', origin(2, 0))
  assert.equal(water.oldest(9), 5, 'the one of another source does not count')
  const reader = first.laneReader(0, 1)
  reader.isEmpty()
  const count = reader.take()
  assert.equal(water.oldest(9), 5, 'in hand')
  second.laneWriter(1, 0).tryPut('y', origin(5, 1))
  reader.release(count)
  assert.equal(water.oldest(9), 5, 'further down')
  const last = second.laneReader(1, 0)
  last.isEmpty()
  last.commit()
  last.commit()
  assert.equal(water.oldest(9), 7)
})

test('an item that was given back out of turn is done; SENTINEL is no item; numbers go beyond 2^32', () => {
  const queue = allocate(1, 1)
  const water = new LowWater([queue], 0, { first: [0], next: [[]] })
  const writer = queue.laneWriter(0, 0)
  const big = 2 ** 40
  for (const item of [big + 3, big + 1, big + 2]) writer.tryPut('x', origin(item))
  writer.putEnd(origin(1))
  const reader = queue.laneReader(0, 0)
  reader.isEmpty()
  const counts = [reader.take(), reader.take(), reader.take()]
  assert.equal(water.oldest(big + 3), big + 1)
  reader.release(counts[1])
  assert.equal(water.oldest(big + 3), big + 2)
  reader.release(counts[2])
  assert.equal(water.oldest(big + 3), big + 3)
  reader.release(counts[0])
  assert.equal(water.oldest(big + 3), big + 4)
})

test('an item that a claiming reader has in hand is under way, though it has left the ring', () => {
  const queue = allocate(1, 1)
  const water = new LowWater([queue], 0, { first: [0], next: [[]] })
  queue.laneWriter(0, 0).tryPut('x', origin(2 ** 33))
  const reader = queue.claimingLaneReader(0, 0)
  reader.isEmpty()
  reader.claim()
  assert.equal(water.oldest(2 ** 34), 2 ** 33)
  reader.commit()
  assert.equal(water.oldest(2 ** 34), 2 ** 34 + 1)
})

test('what lies before a reader that has left is done, as long as a sink goes on', () => {
  const [one, other] = [allocate(1, 1), allocate(1, 1)]
  const water = new LowWater([one, other], 0, { first: [0, 1], next: [[], []] })
  for (const queue of [one, other]) {
    queue.openEnd('consumer', 0)
    queue.laneWriter(0, 0).tryPut('x', origin(5))
  }
  one.leave('consumer', 0, DONE)
  assert.deepEqual([water.goesOn, water.oldest(9)], [true, 5])
  const reader = other.laneReader(0, 0)
  reader.isEmpty()
  reader.commit()
  assert.deepEqual([water.goesOn, water.oldest(9)], [true, 10])
  other.laneWriter(0, 0).putEnd(origin(9))
  other.leave('consumer', 0, DONE)
  assert.deepEqual([water.goesOn, water.oldest(9)], [true, 10], 'it had all of them')
})

test('when every sink left early, what lies before them is not done', () => {
  const queue = allocate(1, 1)
  const water = new LowWater([queue], 0, { first: [0], next: [[]] })
  queue.openEnd('consumer', 0)
  queue.laneWriter(0, 0).tryPut('x', origin(5))
  queue.leave('consumer', 0, DONE)
  assert.deepEqual([water.goesOn, water.oldest(9)], [false, 5])
})

test('where a stage in the middle ended the stream, what lies before it is not done, though the sink had its end', () => {
  const [first, second] = [allocate(1, 1), allocate(1, 1)]
  const water = new LowWater([first, second], 0, CHAIN)
  for (const queue of [first, second]) queue.openEnd('consumer', 0)
  first.laneWriter(0, 0).tryPut('x', origin(5))
  assert.deepEqual([water.goesOn, water.oldest(9)], [true, 5])
  first.leave('consumer', 0, DONE)
  second.laneWriter(0, 0).putEnd(origin(4))
  assert.deepEqual([water.goesOn, water.oldest(9)], [false, 5])
})
