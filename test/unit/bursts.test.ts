import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Burst } from '../../src/host/burst.ts'
import { HeldBack } from '../../src/queue/held-back.ts'
import { InputReader } from '../../src/queue/input-reader.ts'
import { QueueMemory } from '../../src/queue/queue-memory.ts'
import { QueueWriter } from '../../src/queue/queue-writer.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'
import { TestLane } from '../support/lanes.ts'

const origin = (item: number) => ({ item, source: 0, order: item, madeBy: item, part: 0 })

function makeQueue(capacity = 64) {
  const shape = { name: 'test', capacity, capacityBytes: 65_536, producers: 1, consumers: 1 }
  const memory = QueueMemory.allocate(shape, new StopEvent())
  memory.openEnd('producer', 0)
  memory.openEnd('consumer', 0)
  const writer = new QueueWriter(memory, 0)
  const reader = new InputReader([{ memory, index: 0 }], { bell: memory.doorbell('consumer', 0) })
  return { memory, writer, reader, bell: memory.doorbell('consumer', 0) }
}

test('a sealed record is there for the reader when it is published, and not before', () => {
  const lane = new TestLane(4, 4096)
  const [writer, reader] = [lane.writer(), lane.reader()]
  assert.ok(writer.trySeal('a', origin(1)))
  assert.ok(writer.trySeal('b', origin(2)))
  assert.equal(writer.heldBack, 2)
  assert.ok(reader.isEmpty())
  writer.publish()
  assert.equal(writer.heldBack, 0)
  assert.equal(reader.isEmpty(), false)
  assert.equal(reader.level(), 2)
})

test('what was sealed counts against the capacity; what is settled makes room when it is given back', () => {
  const lane = new TestLane(2, 4096)
  const [writer, reader] = [lane.writer(), lane.reader()]
  assert.ok(writer.trySeal('a', origin(1)))
  assert.ok(writer.trySeal('b', origin(2)))
  assert.equal(writer.trySeal('c', origin(3)), false)
  writer.publish()
  assert.equal(reader.isEmpty(), false)
  reader.settle()
  assert.equal(writer.hasRoom(), false)
  assert.ok(reader.giveBack())
  assert.equal(reader.giveBack(), false)
  assert.ok(writer.hasRoom())
})

test('the next life of a writer publishes what was sealed; that of a reader gives back what was settled', () => {
  const lane = new TestLane(8, 4096)
  const [writer, reader] = [lane.writer(), lane.reader()]
  for (const item of [1, 2, 3]) assert.ok(writer.trySeal(item, origin(item)))
  assert.equal(lane.view().passed, 3)
  assert.equal(lane.view().newest?.item, 3)
  assert.ok(reader.isEmpty())
  assert.equal(lane.writer().newest()?.item, 3)
  assert.equal(reader.isEmpty(), false)
  reader.settle()
  reader.settle()
  assert.deepEqual(
    [...lane.view().remaining()].map(({ item }) => item),
    [3],
  )
  assert.equal(lane.view().headOrder(), 1)
  const next = lane.reader()
  assert.equal(lane.view().headOrder(), 3)
  assert.equal(next.committed, 2)
  assert.equal(next.item, 3)
})

type Step = 'seal' | 'publish' | 'publish sealed' | 'settle' | 'give back' | 'new writer' | 'new reader'

test('in bursts, too, every record arrives once and whole, whoever publishes it, and across new lives', () => {
  const step = fc.constantFrom<Step>(
    'seal',
    'seal',
    'seal',
    'publish',
    'publish sealed',
    'settle',
    'settle',
    'give back',
    'new writer',
    'new reader',
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 2 ** 31 - 3, -3),
      fc.array(step, { minLength: 10, maxLength: 200 }),
      (capacity, firstCount, steps) => {
        const lane = new TestLane(capacity, 300, firstCount)
        let writer = lane.writer()
        let reader = lane.reader()
        let sealed = 0
        let read = 0
        for (const what of steps) {
          if (what === 'seal') {
            const value = `${sealed}`.padEnd(sealed % 40, 'x')
            if (writer.trySeal(value, origin(sealed))) sealed++
          } else if (what === 'publish') writer.publish()
          else if (what === 'publish sealed') reader.publishSealed(reader.sealed)
          else if (what === 'settle') {
            if (reader.isEmpty()) continue
            assert.equal(reader.read(), `${read}`.padEnd(read % 40, 'x'))
            reader.settle()
            read++
          } else if (what === 'give back') reader.giveBack()
          else if (what === 'new writer') writer = lane.writer()
          else reader = lane.reader()
          assert.ok(read <= sealed && sealed - read <= capacity)
          assert.equal(lane.view().passed, sealed + (firstCount >>> 0))
          assert.equal([...lane.view().remaining()].length, sealed - read)
        }
        writer.publish()
        for (; !reader.isEmpty(); reader.settle()) {
          assert.equal(reader.read(), `${read}`.padEnd(read % 40, 'x'))
          read++
        }
        assert.equal(read, sealed)
      },
    ),
    { numRuns: 1000 },
  )
})

test('a writer in a burst publishes when the burst is full, when it flushes, and at once to one that sleeps', async () => {
  const { writer, reader, bell } = makeQueue()
  writer.setBurst(4)
  for (const item of [1, 2, 3]) assert.equal(writer.tryPut(item, origin(item)), 'ok')
  assert.equal(reader.poll(), 'empty')
  writer.tryPut(4, origin(4))
  assert.equal(reader.waiting, 4)
  writer.tryPut(5, origin(5))
  writer.flush()
  assert.equal(reader.waiting, 5)
  const woken = bell.wait(() => reader.waiting === 6)
  writer.tryPut(6, origin(6))
  assert.equal(await woken, true)
})

test('a full lane, SENTINEL and leaving publish what was held back', () => {
  const full = makeQueue(2)
  full.writer.setBurst(8)
  assert.equal(full.writer.tryPut(1, origin(1)), 'ok')
  assert.equal(full.writer.tryPut(2, origin(2)), 'ok')
  assert.equal(full.reader.waiting, 0)
  assert.equal(full.writer.tryPut(3, origin(3)), 'full')
  assert.equal(full.reader.waiting, 2)
  for (const end of ['putEnd', 'leave'] as const) {
    const { writer, reader } = makeQueue()
    writer.setBurst(8)
    writer.tryPut(1, origin(1))
    writer[end](origin(1))
    assert.equal(reader.poll(), 'item')
  }
})

test('a reader that is about to sleep looks again, publishes for a busy writer, and then sleeps as long as it likes', () => {
  const { writer, reader } = makeQueue()
  const heldBack = new HeldBack(reader)
  assert.equal(heldBack.lookAgainMs(0), Number.POSITIVE_INFINITY, 'no bursts: nothing to look for')
  writer.setBurst(8)
  writer.tryPut('held back', origin(1))
  assert.ok(heldBack.lookAgainMs(0) < 10)
  assert.equal(reader.waiting, 0, 'not before it has settled')
  assert.equal(heldBack.lookAgainMs(1.1), 0)
  assert.equal(reader.waiting, 1)
  reader.poll()
  reader.commit()
  assert.ok(heldBack.lookAgainMs(0) < 10, 'a new sleep')
  assert.equal(heldBack.lookAgainMs(1.1), Number.POSITIVE_INFINITY)
  // The writer knows nothing of it, and goes on.
  writer.tryPut('next', origin(2))
  writer.flush()
  assert.equal(reader.poll(), 'item')
  assert.equal(reader.read(), 'next')
})

test('bursts grow while items are quick, and an item that is not ends them', () => {
  const burst = new Burst(1024)
  burst.restart()
  for (let round = 0; round < 2000 && burst.limit < 16; round++) {
    while (!burst.isOver());
    burst.adapt()
  }
  assert.ok(burst.limit >= 16, `${burst.limit}`)
  const until = performance.now() + 1
  while (performance.now() < until);
  burst.adapt()
  assert.equal(burst.limit, 1)
  assert.equal(new Burst(7).limit, 1)
})

test('a small queue knows no bursts', () => {
  const burst = new Burst(15)
  burst.restart()
  for (let round = 0; round < 100; round++) burst.adapt()
  assert.equal(burst.limit, 1)
})

test('who waits for room is not woken by an item, who waits for an item not by room; either by anything else', () => {
  for (const awaited of ['items', 'room', 'anything'] as const) {
    const { writer, reader, bell } = makeQueue()
    bell.waitSync(
      () => {
        assert.ok(bell.isAsleep)
        assert.equal(bell.isAsleepForItems, awaited !== 'room')
        assert.equal(bell.isAsleepForRoom, awaited !== 'items')
        writer.tryPut(1, origin(1))
        assert.equal(bell.isAsleep, awaited === 'room')
        bell.ring()
        assert.equal(bell.isAsleep, false)
        return true
      },
      undefined,
      undefined,
      awaited,
    )
    assert.equal(reader.poll(), 'item')
    const full = makeQueue(1)
    full.writer.tryPut(1, origin(1))
    full.writer.bell.waitSync(
      () => {
        full.reader.poll()
        full.reader.commit()
        assert.equal(full.writer.bell.isAsleep, awaited === 'items')
        return true
      },
      undefined,
      undefined,
      awaited,
    )
  }
})
