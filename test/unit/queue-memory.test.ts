import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueShape } from '../../src/queue/queue-layout.ts'
import { DONE, GONE, IDLE, OPEN, type QueueHandle, QueueMemory } from '../../src/queue/queue-memory.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'
import { turn } from '../support/turn.ts'

const SHAPE: QueueShape = { name: 'test', capacity: 8, capacityBytes: 4096, producers: 2, consumers: 2 }

const origin = (part: number) => ({ item: 1, source: 0, order: 1, madeBy: 1, part })

function allocate(shape: Partial<QueueShape> = {}, stop = new StopEvent()): QueueMemory {
  return QueueMemory.allocate({ ...SHAPE, ...shape }, stop)
}

test('a thread takes the first free end, and has it from then on', () => {
  const memory = allocate()
  for (const role of ['producer', 'consumer'] as const) {
    assert.equal(memory.claim(role, 5), 0)
    assert.equal(memory.claim(role, 0), 1, 'the main thread has number 0')
    assert.equal(memory.claim(role, 5), 0)
    assert.equal(memory.claim(role, 0), 1)
    assert.throws(() => memory.claim(role, 6), {
      code: 'MILLRACE_END_TAKEN',
      message: new RegExp(`made for 2 ${role}s`),
    })
  }
})

test('an end opens when it is taken, and its state only moves forward', () => {
  const memory = allocate()
  assert.equal(memory.state('producer', 0), IDLE)
  memory.claim('producer', 1)
  assert.equal(memory.state('producer', 0), OPEN)
  memory.leave('producer', 0, DONE)
  memory.leave('producer', 0, GONE)
  assert.equal(memory.state('producer', 0), DONE)
  assert.equal(memory.claim('producer', 1), 0)
  assert.equal(memory.state('producer', 0), DONE, 'taking it again does not open it again')
  assert.equal(memory.state('producer', 1), IDLE)
})

test('a thread that has gone leaves exactly its own ends', () => {
  const memory = allocate()
  memory.claim('producer', 1)
  memory.claim('producer', 2)
  memory.claim('consumer', 2)
  memory.claim('consumer', 1)
  memory.leave('consumer', 0, DONE)
  memory.markThreadGone(2)
  assert.deepEqual([memory.state('producer', 0), memory.state('producer', 1)], [OPEN, GONE])
  assert.deepEqual([memory.state('consumer', 0), memory.state('consumer', 1)], [DONE, OPEN])
  memory.markThreadGone(7)
  assert.deepEqual([memory.state('producer', 0), memory.state('consumer', 1)], [OPEN, OPEN])
})

test('a thread that died as it told that it left has its neighbours woken all the same', async () => {
  const memory = allocate()
  memory.claim('producer', 1)
  const bell = memory.doorbell('consumer', 0)
  const waiting = bell.wait(() => memory.state('producer', 0) === DONE)
  await turn()
  // It stored its state, and the bell of the consumer, and was killed before it notified.
  const words = new Int32Array(memory.memory)
  const state = 16 + 1
  assert.equal(Atomics.compareExchange(words, state, OPEN, DONE), OPEN)
  const board = new Int32Array(memory.stop.handle.board)
  const word = 16 * (memory.bell('consumer', 0) + 1)
  assert.equal(Atomics.compareExchange(board, word, 1, 0), 1)
  memory.markThreadGone(1)
  assert.equal(await waiting, true)
})

test('an end that is given to the next life of a worker is open, and the dead life cannot close it', () => {
  const memory = allocate()
  memory.claim('consumer', 1)
  memory.markThreadGone(1)
  memory.transfer('consumer', 0, 2)
  assert.equal(memory.state('consumer', 0), OPEN)
  memory.markThreadGone(1)
  assert.equal(memory.state('consumer', 0), OPEN)
  assert.equal(memory.claim('consumer', 2), 0)
})

test('every end has a doorbell of its own, and leaving rings them all', async () => {
  const stop = new StopEvent({ doorbells: 4 })
  const memory = allocate({}, stop)
  const ends = (['producer', 'consumer'] as const).flatMap((role) =>
    [0, 1].map((index) => memory.doorbell(role, index)),
  )
  const waits = ends.map((bell) => bell.wait(() => memory.state('producer', 0) === DONE))
  for (const [index, bell] of ends.entries()) {
    bell.ring()
    assert.deepEqual(
      ends.map((end) => end.isAsleep),
      ends.map((_, end) => end > index),
    )
  }
  await Promise.resolve()
  memory.leave('producer', 0, DONE)
  assert.deepEqual(await Promise.all(waits), [true, true, true, true])
})

test('closing it is told once, and seen through every handle', () => {
  const memory = allocate()
  const other = QueueMemory.from(structuredClone(memory.handle))
  assert.equal(other.isClosed, false)
  assert.equal(memory.close(), true)
  assert.equal(other.isClosed, true)
  assert.equal(other.close(), false)
  assert.equal(memory.id, other.id)
  assert.notEqual(memory.id, allocate().id)
})

test('the capacity is shared out to the producers without loss', () => {
  for (const [capacity, producers] of [
    [5, 2],
    [3, 3],
    [100, 7],
    [1, 1],
  ]) {
    const memory = allocate({ capacity, producers })
    const shares = Array.from({ length: producers }, (_, index) => memory.share(index))
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      capacity,
    )
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1)
  }
})

test('lanes do not overlap: filling all of them to the last byte leaves every item whole', () => {
  const memory = allocate({ capacity: 12, capacityBytes: 64 * 6 + 5, producers: 3, consumers: 2 })
  const pairs = [0, 1, 2].flatMap((producer) => [0, 1].map((consumer) => [producer, consumer] as const))
  for (const [producer, consumer] of pairs) {
    const writer = memory.laneWriter(producer, consumer)
    for (let part = 0; writer.tryPut(`${producer}${consumer}${part}`.padEnd(13, '.'), origin(part)); part++);
    writer.putEnd(origin(99))
  }
  for (const [producer, consumer] of pairs) {
    const reader = memory.laneReader(producer, consumer)
    let part = 0
    for (; !reader.isEmpty() && !reader.isEnd(); reader.commit()) {
      assert.equal(reader.read(), `${producer}${consumer}${part++}`.padEnd(13, '.'))
    }
    assert.ok(part >= 3, `only ${part} items`)
    assert.ok(reader.isEnd())
  }
})

test('each option out of its range is refused by its name', () => {
  const wrong: [keyof QueueShape, unknown[]][] = [
    ['capacity', [0, -1, 1.5, Number.NaN, '4', 2 ** 20 + 1, null, Number.POSITIVE_INFINITY]],
    ['capacityBytes', [0, 255, -1, 0.5, Number.NaN, '4096', 2 ** 31, null]],
    ['producers', [0, -1, 1.5, '2', 1025, null]],
    ['consumers', [0, -1, 1.5, '2', 1025, null]],
  ]
  for (const [option, values] of wrong) {
    for (const value of values) {
      assert.throws(
        () => allocate({ [option]: value }),
        {
          code: 'MILLRACE_INVALID_OPTION',
          option,
          message: new RegExp(`^queue "test": ${option} must be .*, got `),
        },
        `${option}: ${value}`,
      )
    }
  }
  assert.throws(() => allocate({ capacity: 1 }), { option: 'capacity', message: /number of producers \(2\)/ })
})

test('a stop event with too few doorbells is refused, and one with enough is not', () => {
  assert.throws(() => allocate({}, new StopEvent({ doorbells: 3 })), { code: 'MILLRACE_INVALID_OPTION' })
  allocate({}, new StopEvent({ doorbells: 4 }))
})

test('what is no handle is refused', () => {
  const { memory, stop, kind } = allocate().handle
  const wrong: unknown[] = [
    undefined,
    null,
    'x',
    {},
    { kind, stop },
    { memory, stop },
    { kind, memory },
    { kind, memory: new SharedArrayBuffer(8), stop },
    { kind, memory: new SharedArrayBuffer(4096), stop },
    { kind, memory: new ArrayBuffer(4096), stop },
    { kind: 'millrace.stop/1', memory, stop },
  ]
  for (const handle of wrong) {
    assert.throws(() => QueueMemory.from(handle as QueueHandle), { code: 'MILLRACE_BAD_HANDLE' })
  }
})

test('an end without a worker opens again; one that has left does not', () => {
  const memory = allocate()
  assert.equal(memory.park('consumer', 0), true, 'one that was never used')
  assert.equal(memory.openEnd('consumer', 0), true)
  assert.equal(memory.park('consumer', 0), false, 'it is open: it has to retire first')
  memory.retire(0)
  assert.equal(memory.park('consumer', 0), true)
  assert.equal(memory.park('producer', 0), true)
  assert.equal(memory.openEnd('producer', 0), true)
  assert.equal(memory.park('producer', 0), true, 'a producer just goes')
  memory.leave('producer', 0, DONE)
  memory.leave('consumer', 0, GONE)
  for (const role of ['producer', 'consumer'] as const) {
    assert.equal(memory.openEnd(role, 0), false)
    assert.equal(memory.park(role, 0), false)
  }
  memory.retire(0)
  assert.deepEqual([memory.state('producer', 0), memory.state('consumer', 0)], [DONE, GONE])
})

test('a consumer has retired when every producer has seen it, each time anew; those without a worker are not asked', () => {
  const memory = allocate({ producers: 3, capacity: 9, capacityBytes: 8192 })
  memory.openEnd('producer', 0)
  memory.park('producer', 2)
  for (let time = 0; time < 3; time++) {
    memory.openEnd('consumer', 1)
    assert.equal(memory.hasRetired(1), false)
    memory.retire(1)
    const { epoch } = memory
    memory.retire(1)
    assert.equal(memory.epoch, epoch, 'once')
    assert.equal(memory.hasRetired(1), false)
    memory.storeSeen(0, epoch)
    assert.equal(memory.hasRetired(1), false, 'one that may be there already was not asked')
    memory.storeSeen(1, epoch)
    assert.equal(memory.hasRetired(1), true)
    assert.equal(memory.hasRetired(0), false)
  }
})

test('what changes an end rings everybody', async () => {
  const changes: ((memory: QueueMemory) => void)[] = [
    (memory) => memory.park('producer', 0),
    (memory) => memory.openEnd('consumer', 0),
    (memory) => memory.retire(1),
    (memory) => memory.close(),
  ]
  for (const change of changes) {
    const memory = allocate()
    memory.openEnd('consumer', 1)
    let isOver = false
    const bells = (['producer', 'consumer'] as const).flatMap((role) =>
      [0, 1].map((end) => memory.doorbell(role, end)),
    )
    const waits = bells.map((bell) => bell.wait(() => isOver))
    change(memory)
    assert.ok(bells.every((bell) => !bell.isAsleep))
    isOver = true
    await Promise.all(waits)
  }
})

test('laneBytes gives each lane its own size', () => {
  const memory = allocate({ laneBytes: 300 })
  assert.equal(memory.laneBytes, 300)
  assert.equal(memory.laneWriter(1, 1).tryPut('x'.repeat(290), origin(0)), true)
  assert.throws(() => memory.laneWriter(0, 0).tryPut('x'.repeat(301), origin(0)), {
    code: 'MILLRACE_ITEM_TOO_LARGE',
  })
  for (const laneBytes of [0, 63, 64.5, 2 ** 31]) {
    assert.throws(() => allocate({ laneBytes }), { code: 'MILLRACE_INVALID_OPTION', option: 'laneBytes' })
  }
})
