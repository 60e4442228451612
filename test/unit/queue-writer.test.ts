import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputReader } from '../../src/queue/input-reader.ts'
import type { QueueShape } from '../../src/queue/queue-layout.ts'
import { GONE, QueueMemory } from '../../src/queue/queue-memory.ts'
import { QueueWriter, type WriterOptions } from '../../src/queue/queue-writer.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'

function allocate(shape: Partial<QueueShape> = {}): QueueMemory {
  const usual = { name: 'test', capacity: 6, capacityBytes: 8192, producers: 1, consumers: 3 }
  const memory = QueueMemory.allocate({ ...usual, ...shape }, new StopEvent())
  for (let index = 0; index < memory.producers; index++) memory.openEnd('producer', index)
  for (let index = 0; index < memory.consumers; index++) memory.openEnd('consumer', index)
  return memory
}

const origin = (item: number, part = 0) => ({ item, source: 0, order: item, madeBy: item, part })

const levels = (memory: QueueMemory) =>
  Array.from({ length: memory.consumers }, (_, consumer) => memory.laneView(0, consumer).level)

function readerOf(memory: QueueMemory, index: number, claiming = false): InputReader {
  return new InputReader([{ memory, index, claiming }], { bell: memory.doorbell('consumer', index) })
}

test('the reader with the least in hand gets the next item; what it works on counts', () => {
  const memory = allocate()
  const writer = new QueueWriter(memory, 0)
  for (const item of [1, 2, 3]) assert.equal(writer.tryPut('x', origin(item)), 'ok')
  assert.deepEqual(levels(memory), [1, 1, 1])
  const readers = [0, 1, 2].map((index) => readerOf(memory, index))
  for (const reader of readers) assert.equal(reader.poll(), 'item')
  readers[0].take()
  readers[1].commit()
  writer.tryPut('x', origin(4))
  assert.deepEqual(levels(memory), [1, 1, 1])
  readers[2].commit()
  writer.tryPut('x', origin(5))
  assert.deepEqual(levels(memory), [1, 1, 1])
})

test('of readers with as much in hand, one that sleeps gets the item, else they take turns', async () => {
  const memory = allocate()
  const writer = new QueueWriter(memory, 0)
  const bell = memory.doorbell('consumer', 2)
  const waiting = bell.wait(() => memory.laneView(0, 2).level > 0)
  writer.tryPut('x', origin(1))
  assert.deepEqual(levels(memory), [0, 0, 1])
  await waiting
  for (const [item, expected] of [
    [2, [1, 0, 1]],
    [3, [1, 1, 1]],
    [4, [1, 1, 2]],
    [5, [2, 1, 2]],
  ] as const) {
    writer.tryPut('x', origin(item))
    assert.deepEqual(levels(memory), expected)
  }
})

test('outputs of one input go to one reader, also in the next life of the writer; numbered ones spread', () => {
  const memory = allocate()
  for (const part of [0, 1, 2]) new QueueWriter(memory, 0).tryPut('x', origin(7, part))
  assert.deepEqual([...levels(memory)].sort(), [0, 0, 3])
  const spread = allocate()
  for (const part of [0, 1, 2]) new QueueWriter(spread, 0, { isNumbered: true }).tryPut('x', origin(7, part))
  assert.deepEqual(levels(spread), [1, 1, 1])
})

test('a key has its lane, and each lane its part of the capacity', () => {
  const memory = allocate()
  const writer = new QueueWriter(memory, 0, { keyHash: (value) => value as number })
  assert.equal(writer.tryPut(4, origin(1)), 'ok')
  assert.equal(writer.tryPut(1, origin(2)), 'ok')
  assert.deepEqual(levels(memory), [0, 2, 0])
  assert.equal(writer.tryPut(1, origin(3)), 'full')
  assert.equal(writer.isReady(), false)
  assert.equal(writer.tryPut(3, origin(3)), 'ok')
  assert.equal(writer.tryPut(1, origin(4)), 'full')
  const reader = readerOf(memory, 1)
  reader.poll()
  reader.commit()
  assert.equal(writer.isReady(), true)
  assert.equal(writer.tryPut(1, origin(4)), 'ok')
  memory.leave('consumer', 1, GONE)
  assert.equal(writer.tryPut(1, origin(5)), 'closed')
  assert.equal(writer.tryPut(2, origin(5)), 'ok')
})

test('the next life of a writer knows what was published, up to which order, and whether it had begun to end', () => {
  for (const options of [{}, { isNumbered: true }] satisfies WriterOptions[]) {
    const memory = allocate()
    const writer = new QueueWriter(memory, 0, options)
    assert.equal(writer.newestOrder, undefined)
    assert.equal(writer.published(0), 0)
    writer.tryPut('x', { ...origin(1), order: -2, madeBy: 0xffffffff })
    for (const part of [0, 1, 2])
      writer.tryPut('x', { ...origin(2, part), order: -1 + part * (options.isNumbered ? 1 : 0) })
    const next = new QueueWriter(memory, 0, options)
    assert.equal(next.published(2), 3)
    assert.equal(next.published(3), 0)
    assert.equal(next.newestOrder, options.isNumbered ? 1 : -1)
    assert.equal(next.hasEndedLane, false)
    memory.laneWriter(0, 1).putEnd(origin(9))
    const last = new QueueWriter(memory, 0, options)
    assert.equal(last.hasEndedLane, true)
    assert.equal(last.putEnd(origin(9)), true)
    const ends = [0, 1, 2].map((consumer) => memory.laneView(0, consumer).newest?.isEnd)
    assert.deepEqual(ends, [true, true, true])
  }
})

test('who drops what comes refuses it and counts it; who drops the oldest never waits', () => {
  for (const overflow of ['drop-new', 'drop-old'] as const) {
    const memory = allocate()
    const writer = new QueueWriter(memory, 0, { overflow })
    const results = new Map<string, number>()
    for (let item = 1; item <= 20; item++) {
      const result = writer.tryPut(item, origin(item))
      results.set(result, (results.get(result) ?? 0) + 1)
    }
    assert.deepEqual(
      [...results],
      overflow === 'drop-new'
        ? [
            ['ok', 6],
            ['dropped', 14],
          ]
        : [['ok', 20]],
    )
    assert.equal(memory.dropped, 14)
    const got: unknown[] = []
    for (const index of [0, 1, 2]) {
      const reader = readerOf(memory, index, overflow === 'drop-old')
      for (; reader.poll() === 'item'; reader.commit()) got.push(reader.read())
      assert.equal(reader.committed, 2)
    }
    const first = overflow === 'drop-new' ? 1 : 15
    assert.deepEqual(
      got.sort((a, b) => (a as number) - (b as number)),
      Array.from({ length: 6 }, (_, index) => first + index),
    )
  }
})

test('who drops the oldest drops as many as a large item needs, and nothing for one that never fits', () => {
  const memory = allocate({ consumers: 1, capacity: 8, capacityBytes: 100 })
  const writer = new QueueWriter(memory, 0, { overflow: 'drop-old' })
  for (let item = 1; item <= 5; item++) writer.tryPut('x'.repeat(18), origin(item))
  assert.equal(memory.dropped, 0)
  assert.throws(() => writer.tryPut('x'.repeat(101), origin(6)), { code: 'MILLRACE_ITEM_TOO_LARGE' })
  assert.equal(memory.dropped, 0)
  assert.equal(writer.tryPut('x'.repeat(60), origin(6)), 'ok')
  assert.ok(memory.dropped >= 3)
  assert.equal(memory.dropped + memory.laneView(0, 0).level, 6)
})

test('who has nobody to write to now waits; nobody any more, it is told', () => {
  const memory = allocate({ consumers: 2 })
  const writer = new QueueWriter(memory, 0)
  for (const index of [0, 1]) memory.retire(index)
  assert.equal(writer.tryPut('x', origin(1)), 'full')
  assert.equal(writer.isReady(), false)
  assert.equal(writer.isClosed, false)
  memory.openEnd('consumer', 1)
  assert.equal(writer.isReady(), true)
  assert.equal(writer.tryPut('x', origin(1)), 'ok')
  assert.deepEqual(levels(memory), [0, 1])
  for (const index of [0, 1]) memory.leave('consumer', index, GONE)
  assert.equal(writer.tryPut('x', origin(1)), 'closed')
})

test('a reader that retires gets the rest of an input that was begun, and then is free', () => {
  const memory = allocate({ consumers: 2 })
  const writer = new QueueWriter(memory, 0)
  writer.tryPut('x', origin(1, 0))
  const retiring = memory.laneView(0, 0).level === 1 ? 0 : 1
  memory.retire(retiring)
  assert.equal(memory.hasRetired(retiring), false)
  writer.tryPut('x', origin(1, 1))
  assert.equal(memory.laneView(0, retiring).level, 2)
  assert.equal(memory.hasRetired(retiring), false)
  writer.tryPut('x', origin(2))
  assert.equal(memory.laneView(0, retiring).level, 2)
  assert.equal(memory.hasRetired(retiring), true)
  const reader = readerOf(memory, retiring)
  for (; reader.poll() === 'item'; reader.commit()) assert.equal(reader.isRetired, false)
  assert.equal(reader.isRetired, true)
  assert.equal(reader.park(), true)
})

test('a reader that retires gets nothing after it was told that it may go, not even of the same order', () => {
  const memory = allocate()
  const writer = new QueueWriter(memory, 0)
  writer.tryPut('x', origin(5))
  const lane = levels(memory).indexOf(1)
  memory.retire(lane)
  writer.refresh()
  assert.equal(memory.hasRetired(lane), true)
  writer.tryPut('y', origin(5, 1))
  assert.equal(memory.laneView(0, lane).level, 1)
})

test('where inputs of one order may follow each other, a reader that retires stays until the next order', () => {
  const memory = allocate()
  const writer = new QueueWriter(memory, 0, { mayContinue: true })
  writer.tryPut('x', origin(5))
  const lane = levels(memory).indexOf(1)
  memory.retire(lane)
  writer.refresh()
  assert.equal(memory.hasRetired(lane), false)
  writer.tryPut('y', origin(5, 1))
  assert.equal(memory.laneView(0, lane).level, 2)
  writer.tryPut('z', origin(6))
  assert.equal(memory.laneView(0, lane).level, 2)
  assert.equal(memory.hasRetired(lane), true)
})

test('readers that retire do not wait for a writer that rests; it looks again before it puts', () => {
  const memory = allocate()
  const writer = new QueueWriter(memory, 0, { isNumbered: true })
  writer.tryPut('x', origin(1))
  writer.rest()
  memory.retire(1)
  assert.equal(memory.hasRetired(1), true)
  memory.retire(2)
  for (const item of [2, 3, 4]) writer.tryPut('x', origin(item))
  assert.equal(memory.hasRetired(2), true)
  assert.deepEqual(levels(memory).slice(1), [0, 0])
  memory.openEnd('consumer', 1)
  memory.retire(0)
  assert.equal(memory.hasRetired(0), false)
})

test('the next life of a writer goes on behind the orders of what was dropped', () => {
  const memory = allocate({ capacity: 1, consumers: 1 })
  const options: WriterOptions = { isNumbered: true, overflow: 'drop-new' }
  const writer = new QueueWriter(memory, 0, options)
  assert.equal(writer.tryPut('x', origin(1)), 'ok')
  for (const item of [2, 3, 4]) assert.equal(writer.tryPut('x', origin(item)), 'dropped')
  assert.equal(new QueueWriter(memory, 0, options).newestOrder, 3)
})

test('a reader that dozes is let doze over the first small items, and woken at once for a large one', () => {
  const memory = allocate({ consumers: 1, capacity: 64, capacityBytes: 2 ** 20 })
  const writer = new QueueWriter(memory, 0)
  const reader = readerOf(memory, 0)
  const bell = memory.doorbell('consumer', 0)
  const states: boolean[] = []
  bell.dozeSync(() => {
    for (const [item, value] of ['small', new Uint8Array(100), new Uint8Array(2 ** 17)].entries()) {
      writer.tryPut(value, origin(item + 1))
      states.push(bell.isDozing)
    }
    return true
  })
  assert.deepEqual(states, [true, true, false])
  // Nor does it begin to doze before a large one.
  assert.equal(reader.isWorthWaking(), false)
  for (let count = 0; count < 2; count++) {
    assert.equal(reader.poll(), 'item')
    reader.commit()
  }
  assert.equal(reader.isWorthWaking(), true)
})

test('a reader that dozes is woken by the record that makes its lane half full, not by those after it', () => {
  const memory = allocate({ consumers: 2, capacity: 16 })
  const writer = new QueueWriter(memory, 0)
  const bell = memory.doorbell('consumer', 0)
  /** Which records that went to the first reader woke it. */
  const wakersOf = (records: number): number[] => {
    const wakers: number[] = []
    for (let at = 0; at < records; at++) {
      const before = memory.laneView(0, 0).level
      bell.dozeSync(() => {
        writer.tryPut('x', origin(at + 1))
        const { level } = memory.laneView(0, 0)
        if (level > before && !bell.isDozing) wakers.push(level)
        return true
      })
    }
    return wakers
  }
  assert.deepEqual(wakersOf(16), [4])
})
