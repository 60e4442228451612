import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANYTHING, type Doorbell, ITEMS, ROOM, type Want } from '../../src/queue/doorbell.ts'
import { InputReader } from '../../src/queue/input-reader.ts'
import { DONE, GONE, OPEN, PARKED, QueueMemory, RETIRING } from '../../src/queue/queue-memory.ts'
import { QueueWriter } from '../../src/queue/queue-writer.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const seed = seedOfRun()
console.log(`MILLRACE_SEED=${seed}`)

function allocate(producers: number, consumers = 1, stop = new StopEvent(), capacity = 8): QueueMemory {
  const limits = { capacity, capacityBytes: 1024 * producers * consumers }
  return QueueMemory.allocate({ name: 'test', ...limits, producers, consumers }, stop)
}

const origin = (item: number) => ({ item, source: 2, order: item, madeBy: item, part: 0 })

function readerOf(...memories: QueueMemory[]): InputReader {
  const inputs = memories.map((memory) => ({ memory, index: 0 }))
  return new InputReader(inputs, { bell: memories[0].doorbell('consumer', 0) })
}

/** Whether a sleeper is rung by what is done while it has announced its sleep. */
function isRung(sleeper: Doorbell, want: Want, act: () => void): boolean {
  let isAsleep = true
  const look = () => {
    act()
    isAsleep = sleeper.isAsleep
    return true
  }
  sleeper.waitSync(look, 0, want)
  return !isAsleep
}

test('all lanes of all queues get their turn', () => {
  const memories = [allocate(2), allocate(1)]
  const writers = [
    new QueueWriter(memories[0], 0),
    new QueueWriter(memories[0], 1),
    new QueueWriter(memories[1], 0),
  ]
  for (const [index, writer] of writers.entries()) {
    for (let item = 0; item < 3; item++) writer.tryPut(`${index}${item}`, origin(item))
  }
  const reader = readerOf(...memories)
  const got: unknown[] = []
  for (; reader.poll() === 'item'; reader.commit()) got.push(reader.read())
  assert.deepEqual(got, ['00', '10', '20', '01', '11', '21', '02', '12', '22'])
  assert.equal(reader.committed, 9)
  assert.equal(readerOf(...memories).committed, 9, 'in all lives')
})

test('several items are in hand under tickets, and given back in any order; the next life finds the rest', () => {
  const memories = [allocate(2), allocate(1)]
  const writers = [
    new QueueWriter(memories[0], 0),
    new QueueWriter(memories[0], 1),
    new QueueWriter(memories[1], 0),
  ]
  const random = randomFrom(seed)
  let reader = readerOf(...memories)
  const missing = new Set<number>()
  let hand = new Map<number, number>()
  const seen = new Map<number, number>()
  let next = 1
  for (let step = 0; step < 20_000; step++) {
    const dice = random()
    if (dice < 0.4) {
      if (writers[step % 3].tryPut(`v${next}`, origin(next)) === 'ok') missing.add(next++)
    } else if (dice < 0.7) {
      if (reader.poll() !== 'item') continue
      const { id, item, source, batch } = reader
      assert.equal(source, 2)
      assert.equal(batch, (seen.get(item) ?? 0) % 1000, 'the batch of an earlier life')
      const ticket = reader.take()
      assert.equal(ticket, id)
      assert.ok(!hand.has(ticket))
      reader.mark(ticket, item % 1000)
      seen.set(item, item)
      hand.set(ticket, item)
    } else if (dice < 0.97) {
      const tickets = [...hand.keys()]
      if (tickets.length === 0) continue
      const ticket = tickets[Math.floor(random() * tickets.length)]
      const item = hand.get(ticket) as number
      assert.equal(reader.readTicket(ticket), `v${item}`)
      reader.release(ticket)
      hand.delete(ticket)
      assert.ok(missing.delete(item), 'once')
    } else {
      reader = readerOf(...memories)
      hand = new Map()
    }
    assert.equal(reader.held, hand.size)
    assert.equal(reader.committed, next - 1 - missing.size)
  }
  for (const ticket of hand.keys()) missing.delete(hand.get(ticket) as number)
  for (; reader.poll() === 'item'; reader.commit()) assert.ok(missing.delete(reader.item))
  assert.equal(missing.size, 0)
})

test('it has ended when every producer of every queue has; one that left without SENTINEL is told', () => {
  const memories = [allocate(2), allocate(1)]
  const reader = readerOf(...memories)
  assert.equal(reader.poll(), 'empty')
  new QueueWriter(memories[0], 0).putEnd(origin(1))
  new QueueWriter(memories[1], 0).putEnd(origin(1))
  assert.equal(reader.isReady(), false)
  assert.equal(reader.poll(), 'empty')
  memories[0].laneWriter(1, 0).tryPut('last', origin(2))
  memories[0].leave('producer', 1, GONE)
  assert.equal(reader.poll(), 'item')
  assert.equal(reader.isProducerGone, false)
  reader.commit()
  assert.equal(reader.isReady(), true)
  assert.equal(reader.poll(), 'ended')
  assert.equal(reader.isProducerGone, true)
  reader.leave()
  for (const memory of memories) assert.equal(memory.state('consumer', 0), DONE)
})

test('a producer without a worker is not waited for, unless it got one before the others ended', () => {
  for (const upstream of [undefined, [allocate(1, 3)]]) {
    const memory = allocate(3)
    memory.park('producer', 0)
    const reader = new InputReader([{ memory, index: 0, upstream }], { bell: memory.doorbell('consumer', 0) })
    new QueueWriter(memory, 2).putEnd(origin(1))
    assert.equal(reader.poll(), 'empty')
    const state = memory.state.bind(memory)
    let isFirst = true
    // Between its look at lane 0, where nobody was, and its look at lane 1: a worker comes for 0, then 1 ends.
    memory.state = (role, index) => {
      if (role === 'producer' && index === 1 && isFirst) {
        isFirst = false
        assert.equal(state('producer', 0), PARKED)
        memory.openEnd('producer', 0)
        new QueueWriter(memory, 0).tryPut('late', origin(2))
        new QueueWriter(memory, 1).putEnd(origin(1))
      }
      return state(role, index)
    }
    assert.equal(reader.poll(), 'item')
    assert.equal(reader.read(), 'late')
    reader.commit()
    assert.equal(reader.poll(), 'empty')
    memory.park('producer', 0)
    assert.equal(reader.poll(), 'ended')
  }
})

test('giving an item back wakes the writer, and who waits for the release, if they sleep', async () => {
  const stop = new StopEvent()
  const memory = allocate(1, 1, stop, 4)
  const others = [0, 1].map(() => stop.doorbell(stop.takeDoorbell()))
  const bells = { bell: memory.doorbell('consumer', 0), releaseBells: others }
  const reader = new InputReader([{ memory, index: 0 }], { ...bells, wakeWriter: 'late' })
  const writer = new QueueWriter(memory, 0)
  for (let item = 1; item <= 4; item++) writer.tryPut('x', origin(item))
  let isOver = false
  const waits = [writer.bell, ...others].map((bell) => bell.wait(() => isOver))
  const asleep = () => [writer.bell, ...others].map((bell) => bell.isAsleep)
  reader.poll()
  const tickets = [reader.take()]
  reader.poll()
  tickets.push(reader.take())
  reader.release(tickets[1])
  assert.deepEqual(asleep(), [true, true, true], 'out of turn: no room, and the floor is as it was')
  reader.release(tickets[0])
  assert.deepEqual(asleep(), [false, false, false])
  isOver = true
  await Promise.all(waits)
})

interface Consumer {
  reader: InputReader | undefined
}

test('however workers come and go, nothing is lost, who retires comes to rest, and everybody ends', () => {
  for (let run = 0; run < 300; run++) {
    const random = randomFrom(seed + run)
    const pick = (count: number) => Math.floor(random() * count)
    const memory = allocate(2, 3, new StopEvent(), 2 + pick(6))
    for (const index of [1, 2]) memory.park('consumer', index)
    const consumers: Consumer[] = [{ reader: undefined }, { reader: undefined }, { reader: undefined }]
    const open = (index: number) => {
      memory.openEnd('consumer', index)
      consumers[index].reader ??= make(index)
    }
    const make = (index: number) =>
      new InputReader([{ memory, index }], { bell: memory.doorbell('consumer', index) })
    open(0)
    for (const index of [0, 1]) memory.openEnd('producer', index)
    const writers = [new QueueWriter(memory, 0), new QueueWriter(memory, 1)]
    const got: number[] = []
    const work = (index: number) => {
      const { reader } = consumers[index]
      if (reader === undefined) return
      const found = reader.poll()
      if (found === 'item') {
        if (random() < 0.1) {
          consumers[index].reader = make(index)
          return
        }
        got.push(reader.item)
        reader.commit()
      } else if (reader.isRetired && reader.park()) consumers[index].reader = undefined
      else if (found === 'ended') {
        reader.leave()
        consumers[index].reader = undefined
      }
    }
    let put = 0
    for (let step = 0; step < 400; step++) {
      const dice = random()
      const index = pick(3)
      if (dice < 0.04) memory.retire(index)
      else if (dice < 0.08) open(index)
      else if (dice < 0.12) writers[index & 1] = new QueueWriter(memory, index & 1)
      else if (dice < 0.16) writers[index & 1].refresh()
      else if (dice < 0.5) {
        if (writers[index & 1].tryPut(put, origin(put)) === 'ok') put++
      } else work(index)
    }
    for (const index of [1, 2]) memory.retire(index)
    open(0)
    for (const writer of writers) writer.refresh()
    for (let turn = 0; turn < 100; turn++) for (const index of [0, 1, 2]) work(index)
    assert.deepEqual(
      [memory.state('consumer', 0), memory.state('consumer', 1), memory.state('consumer', 2)],
      [OPEN, PARKED, PARKED],
    )
    assert.deepEqual(
      got.sort((a, b) => a - b),
      Array.from({ length: put }, (_, item) => item),
    )
    if (random() < 0.5) open(1)
    for (const writer of writers) writer.putEnd(origin(put))
    for (let turn = 0; turn < 10; turn++) for (const index of [0, 1, 2]) work(index)
    assert.ok(consumers.every(({ reader }) => reader === undefined))
  }
})

test('who is wanted again while it retires goes on', () => {
  const memory = allocate(1)
  memory.openEnd('consumer', 0)
  const reader = readerOf(memory)
  memory.retire(0)
  assert.equal(memory.state('consumer', 0), RETIRING)
  assert.equal(reader.isRetiring, true)
  new QueueWriter(memory, 0).refresh()
  assert.equal(reader.isRetired, true)
  memory.openEnd('consumer', 0)
  assert.equal(reader.park(), false)
  assert.equal(memory.state('consumer', 0), OPEN)
  assert.equal(reader.isRetired, false)
})

test('a worker that died while it gave its ends up goes on with that', () => {
  const [one, other] = [allocate(1), allocate(1)]
  for (const memory of [one, other]) {
    memory.openEnd('consumer', 0)
    memory.retire(0)
    new QueueWriter(memory, 0).refresh()
  }
  one.park('consumer', 0)
  const ends = [one, other].map((memory) => ({ memory, index: 0 }))
  const reader = new InputReader(ends, { bell: one.doorbell('consumer', 0) })
  assert.deepEqual([reader.isRetiring, reader.isRetired], [true, true])
  assert.equal(reader.park(), true)
  assert.equal(reader.isRetired, false, 'it has: nothing is retiring any more')
})

test('whoever waits for items alone is not rung for room, nor the other way round', () => {
  const memory = allocate(1)
  const writer = new QueueWriter(memory, 0)
  const bell = memory.doorbell('consumer', 0)
  const reader = new InputReader([{ memory, index: 0 }], { bell, wakeWriter: 'late' })
  const writerBell = memory.doorbell('producer', 0)
  const put = () => assert.equal(writer.tryPut('x', origin(1)), 'ok')
  const take = () => {
    assert.equal(reader.poll(), 'item')
    reader.commit()
  }
  const rung: Record<string, boolean[]> = {}
  for (const [name, want] of Object.entries({ ANYTHING, ITEMS, ROOM } as const)) {
    rung[name] = [isRung(bell, want, put), isRung(writerBell, want, take)]
  }
  assert.deepEqual(rung, { ANYTHING: [true, true], ITEMS: [true, false], ROOM: [false, true] })
  // The end is told to everybody.
  for (const want of [ITEMS, ROOM, ANYTHING] as const) {
    assert.ok(isRung(writerBell, want, () => memory.ringAll()))
  }
})

test('a writer of several lanes is woken for room when one of them has drained to a half of its share', () => {
  const memory = allocate(1, 2)
  memory.openEnd('producer', 0)
  for (const index of [0, 1]) memory.openEnd('consumer', index)
  const writer = new QueueWriter(memory, 0)
  const [first] = [0, 1].map(
    (index) =>
      new InputReader([{ memory, index }], { bell: memory.doorbell('consumer', index), wakeWriter: 'late' }),
  )
  for (let item = 1; item <= 8; item++) assert.equal(writer.tryPut('x', origin(item)), 'ok')
  assert.equal(writer.tryPut('x', origin(9)), 'full')
  const bell = memory.doorbell('producer', 0)
  const asleep: boolean[] = []
  const look = () => {
    for (let taken = 0; taken < 2; taken++) {
      assert.equal(first.poll(), 'item')
      first.commit()
      asleep.push(bell.isAsleep)
    }
    return true
  }
  bell.waitSync(look, 0, ROOM)
  assert.deepEqual(asleep, [true, false])
})

test('a reader does not doze over an item whose writer waits itself', () => {
  const memory = allocate(1)
  const writer = new QueueWriter(memory, 0)
  const reader = readerOf(memory)
  writer.tryPut('x', origin(1))
  assert.equal(reader.isWorthWaking(), false)
  const bell = memory.doorbell('producer', 0)
  let isWorth = false
  const look = () => {
    isWorth = reader.isWorthWaking()
    return true
  }
  bell.waitSync(look, 0, ITEMS)
  assert.equal(isWorth, true)
})

/** A queue for two readers, of which the first alone is there. */
function openOneOfTwo() {
  const memory = allocate(1, 2)
  memory.openEnd('producer', 0)
  memory.openEnd('consumer', 0)
  memory.park('consumer', 1)
  const writer = new QueueWriter(memory, 0)
  const options = { bell: memory.doorbell('consumer', 0), wakeWriter: 'late' } as const
  return { memory, writer, first: new InputReader([{ memory, index: 0 }], options) }
}

test('a writer is woken for room at once when a reader that came later sleeps for want of items', () => {
  const { memory, writer, first } = openOneOfTwo()
  for (let item = 1; item <= 8; item++) {
    assert.equal(writer.tryPut('x', origin(item)), 'ok')
    // What comes after that it does not see before it looks for more.
    if (item === 1) assert.equal(first.poll(), 'item')
  }
  assert.equal(writer.isReady(), false)
  const bell = memory.doorbell('producer', 0)
  /** Whether the writer is woken by each of so many records given back. */
  const wakes = (records: number): boolean[] =>
    Array.from({ length: records }, () =>
      isRung(bell, ROOM, () => {
        assert.equal(first.poll(), 'item')
        first.commit()
      }),
    )
  memory.openEnd('consumer', 1)
  let whileAsleep: boolean[] = []
  memory.doorbell('consumer', 1).waitSync(
    () => {
      whileAsleep = wakes(3)
      return true
    },
    0,
    ITEMS,
  )
  assert.deepEqual(whileAsleep, [true, false, false])
})

test('a writer is not woken for a reader that is busy, or not there', () => {
  const { memory, writer, first } = openOneOfTwo()
  for (let item = 1; item <= 8; item++) assert.equal(writer.tryPut('x', origin(item)), 'ok')
  const take = () => {
    assert.equal(first.poll(), 'item')
    first.commit()
  }
  const bell = memory.doorbell('producer', 0)
  assert.equal(isRung(bell, ROOM, take), false)
  memory.openEnd('consumer', 1)
  assert.equal(isRung(bell, ROOM, take), false)
})
