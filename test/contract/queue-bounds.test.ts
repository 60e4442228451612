import assert from 'node:assert/strict'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import {
  BoundedQueue,
  type BoundedQueueOptions,
  EMPTY,
  type QueueHandle,
  SENTINEL,
  StopEvent,
} from '../../src/index.ts'
import { test, watch } from '../support/harness.ts'
import { Actor } from '../support/threads.ts'
import { turn, until } from '../support/turn.ts'

function make<T = unknown>(options: BoundedQueueOptions = {}): BoundedQueue<T> {
  return watch(new BoundedQueue<T>(options))
}

const isAsleep = (queue: BoundedQueue, role: 'producer' | 'consumer', index = 0) =>
  queue.memory.doorbell(role, index).isAsleep

test('a queue holds as many items as its capacity and not one more', () => {
  for (const capacity of [1, 2, 5, 64]) {
    const queue = make<number>({ capacity })
    for (let item = 0; item < capacity; item++) assert.equal(queue.tryPut(item), 'ok')
    assert.equal(queue.tryPut(-1), 'full')
    assert.deepEqual([queue.level, queue.peak, queue.passed], [capacity, capacity, capacity])
    assert.equal(queue.tryGet(), 0)
    assert.equal(queue.tryPut(capacity), 'ok')
    assert.equal(queue.tryPut(-1), 'full')
  }
})

test('a queue holds as many bytes as its capacityBytes, whatever its capacity', async () => {
  const queue = make<string>({ capacity: 100, capacityBytes: 1000 })
  const item = 'x'.repeat(300)
  for (let count = 0; count < 3; count++) assert.equal(queue.tryPut(item), 'ok')
  assert.equal(queue.tryPut(item), 'full')
  const waiting = queue.put(item)
  assert.equal(await queue.get(), item)
  assert.equal(await waiting, 'ok')
  assert.equal(queue.tryPut(item), 'full')
  await assert.rejects(queue.put('x'.repeat(1001)), { code: 'MILLRACE_ITEM_TOO_LARGE' })
  assert.equal(queue.level, 3)
})

test('the defaults are 64 items and 16 MiB', () => {
  const queue = make()
  assert.deepEqual([queue.capacity, queue.capacityBytes], [64, 16 * 2 ** 20])
})

test('an empty queue gives EMPTY, not undefined: undefined is an item', () => {
  const queue = make()
  assert.equal(queue.tryGet(), EMPTY)
  queue.tryPut(undefined)
  assert.equal(queue.tryGet(), undefined)
  assert.equal(queue.tryGet(), EMPTY)
})

test('a put or get with a timeout ends after it, and with 0 at once', async () => {
  const queue = make({ capacity: 1 })
  for (const timeoutMs of [0, 20]) {
    for (const get of [() => queue.get({ timeoutMs }), () => queue.getSync({ timeoutMs })]) {
      assert.equal(await took(timeoutMs, get), EMPTY)
    }
  }
  queue.tryPut('fills it')
  for (const timeoutMs of [0, 20]) {
    for (const put of [() => queue.put('x', { timeoutMs }), () => queue.putSync('x', { timeoutMs })]) {
      assert.equal(await took(timeoutMs, put), 'full')
    }
  }
  assert.deepEqual([queue.level, queue.passed], [1, 1])
})

async function took<T>(timeoutMs: number, action: () => T | Promise<T>): Promise<T> {
  const since = performance.now()
  const result = await action()
  const elapsedMs = performance.now() - since
  assert.ok(elapsedMs >= timeoutMs - 1 && elapsedMs < timeoutMs + 1_000, `${elapsedMs} ms, not ${timeoutMs}`)
  return result
}

test('a timeout that is not reached changes nothing', async () => {
  const queue = make<string>({ capacity: 1 })
  for (const timeoutMs of [5_000, 2 ** 40, Number.POSITIVE_INFINITY]) {
    const getting = queue.get({ timeoutMs })
    await turn()
    queue.tryPut('a')
    assert.equal(await getting, 'a')
    queue.tryPut('b')
    const putting = queue.put('c', { timeoutMs })
    await turn()
    assert.equal(queue.tryGet(), 'b')
    assert.equal(await putting, 'ok')
    assert.equal(queue.tryGet(), 'c')
  }
})

test('a timeoutMs that is no number of milliseconds is refused', async () => {
  const queue = make()
  for (const timeoutMs of [-1, Number.NaN, '5', null] as number[]) {
    const refusal = {
      code: 'MILLRACE_INVALID_OPTION',
      option: 'timeoutMs',
      message: /queue: timeoutMs must be .*, got /,
    }
    await assert.rejects(queue.put(1, { timeoutMs }), refusal)
    await assert.rejects(queue.get({ timeoutMs }), refusal)
    assert.throws(() => queue.putSync(1, { timeoutMs }), refusal)
    assert.throws(() => queue.getSync({ timeoutMs }), refusal)
  }
  assert.equal(queue.passed, 0)
})

test('each option out of its range is refused, and the message names queue, option and value', () => {
  const wrong: [keyof BoundedQueueOptions, unknown, RegExp][] = [
    ['capacity', 0, /queue "q": capacity must be an integer from 1 .*, got 0/],
    ['capacity', '3', /capacity must be .*, got '3'/],
    ['capacityBytes', 10, /capacityBytes must be .*, got 10/],
    ['producers', 0, /producers must be .*, got 0/],
    ['consumers', 1.5, /consumers must be .*, got 1.5/],
  ]
  for (const [option, value, message] of wrong) {
    assert.throws(() => make({ name: 'q', [option]: value }), {
      code: 'MILLRACE_INVALID_OPTION',
      option,
      message,
    })
  }
})

test('after close puts are refused, and gets give what was put before, then SENTINEL', async () => {
  const queue = make<string>({ capacity: 3 })
  for (const item of ['a', 'b']) queue.tryPut(item)
  assert.equal(queue.close(), true)
  assert.equal(queue.close(), false)
  assert.equal(queue.isClosed, true)
  assert.equal(queue.tryPut('c'), 'closed')
  assert.equal(queue.putSync('c'), 'closed')
  assert.equal(await queue.put('c'), 'closed')
  assert.equal(await queue.put(SENTINEL), 'closed')
  assert.equal(queue.tryGet(), 'a')
  assert.equal(queue.getSync(), 'b')
  assert.equal(await queue.get(), SENTINEL)
  assert.equal(queue.getSync(), SENTINEL)
  assert.equal(queue.tryGet(), SENTINEL)
})

test('close wakes every put and get that is blocked, in this thread and in others', async () => {
  const full = make({ capacity: 2, producers: 2 })
  const empty = make({ consumers: 2 })
  const [putter, getter, closer] = [0, 1, 2].map(() => new Actor())
  await Promise.all([putter.call('take', full.handle), getter.call('take', empty.handle)])
  for (let item = 0; item < 1; item++) {
    full.tryPut(item)
    await putter.call('tryPut', item)
  }
  const puts = [putter.call('putSync', 'x'), full.put('x')]
  const gets = [getter.call('getSync'), empty.get()]
  await until(() =>
    [0, 1].every((end) => isAsleep(full, 'producer', end) && isAsleep(empty, 'consumer', end)),
  )
  for (const queue of [full, empty]) {
    await closer.call('take', queue.handle)
    await closer.call('close')
  }
  assert.deepEqual(await Promise.all(puts), ['closed', 'closed'])
  assert.deepEqual(await Promise.all(gets), [SENTINEL, SENTINEL])
  await Promise.all([putter, getter, closer].map((actor) => actor.end()))
})

test('a blocked thread sleeps: it does not look around every now and then', async () => {
  const queue = make()
  const actor = new Actor({ queue: queue.handle })
  const getting = actor.call('getSync')
  await until(() => isAsleep(queue, 'consumer'))
  const bell = queue.memory.doorbell('consumer', 0)
  const before = bell.wakeUps
  const since = performance.now()
  await until(() => performance.now() - since > 300)
  assert.equal(bell.wakeUps, before)
  await queue.put('x')
  assert.equal(await getting, 'x')
  await actor.end()
})

test('SENTINEL goes into a full queue without waiting, ends the puts, and is got at every call from then on', async () => {
  const queue = make<string>({ capacity: 1 })
  queue.tryPut('last')
  assert.equal(queue.tryPut(SENTINEL), 'ok')
  assert.equal(queue.tryPut(SENTINEL), 'closed', 'the stream has ended already')
  assert.equal(await queue.put('more'), 'closed')
  assert.deepEqual([queue.level, queue.passed], [1, 1])
  assert.equal(queue.tryGet(), 'last')
  for (let call = 0; call < 3; call++) assert.equal(await queue.get(), SENTINEL)
  assert.equal(queue.isClosed, false)
})

test('a queue of several producers ends when the last of them has sent SENTINEL', async () => {
  const queue = make<string>({ producers: 2 })
  const actor = new Actor({ queue: queue.handle })
  await actor.call('put', 'theirs')
  queue.tryPut(SENTINEL)
  assert.equal(await queue.get(), 'theirs')
  assert.equal(queue.tryGet(), EMPTY)
  const getting = queue.get()
  await actor.call('put', SENTINEL)
  assert.equal(await getting, SENTINEL)
  await actor.end()
})

test('what cannot be cloned is refused by its place in the value, and nothing of it is sent', async () => {
  const queue = make()
  queue.tryPut('before')
  const values = [
    () => 1,
    Symbol('s'),
    { a: [1, { b: () => 1 }] },
    new Map([[1, Symbol('s')]]),
    new WeakMap(),
  ]
  for (const value of values) {
    const refusal = { code: 'MILLRACE_NOT_CLONEABLE' }
    assert.throws(() => queue.tryPut(value), refusal)
    assert.throws(() => queue.putSync(value), refusal)
    await assert.rejects(queue.put(value), refusal)
  }
  assert.throws(() => queue.tryPut({ a: [1, { b: () => 1 }] }), { message: /a\[1\]\.b/ })
  assert.deepEqual([queue.level, queue.passed], [1, 1])
  assert.equal(queue.tryPut('after'), 'ok')
  assert.deepEqual([queue.tryGet(), queue.tryGet(), queue.tryGet()], ['before', 'after', EMPTY])
})

test('a getter that throws stops the put with its own error, and nothing is sent', () => {
  const queue = make()
  const bad = {
    a: 'x'.repeat(100),
    get b() {
      throw new RangeError('from the getter')
    },
  }
  assert.throws(() => queue.tryPut(bad), { name: 'RangeError', message: 'from the getter' })
  assert.deepEqual([queue.level, queue.passed], [0, 0])
})

test('a transferred ArrayBuffer is empty here once it was put, and whole there', async () => {
  const queue = make<Uint8Array | ArrayBuffer>({ capacity: 1 })
  const actor = new Actor({ queue: queue.handle })
  const bytes = new Uint8Array([1, 2, 3])
  assert.equal(await queue.put(bytes, { transfer: [bytes.buffer] }), 'ok')
  assert.equal(bytes.byteLength, 0)
  assert.deepEqual(await actor.call('get'), new Uint8Array([1, 2, 3]))
  await actor.end()
})

test('an ArrayBuffer that was not put stays here', async () => {
  const queue = make({ capacity: 1 })
  queue.tryPut('fills it')
  const buffer = new ArrayBuffer(8)
  const transfer = [buffer]
  assert.equal(queue.tryPut(buffer, { transfer }), 'full')
  assert.equal(await queue.put(buffer, { transfer, timeoutMs: 0 }), 'full')
  assert.equal(buffer.byteLength, 8)
  queue.tryGet()
  assert.throws(() => queue.tryPut([buffer, () => 1], { transfer }), { code: 'MILLRACE_NOT_CLONEABLE' })
  assert.equal(buffer.byteLength, 8)
  queue.close()
  assert.equal(queue.tryPut(buffer, { transfer }), 'closed')
  queue.stop.set()
  assert.equal(await queue.put(buffer, { transfer }), 'stopped')
  assert.equal(buffer.byteLength, 8)
})

test('a transfer list with anything but whole ArrayBuffers, each once, is refused before anything is put', () => {
  const queue = make()
  const buffer = new ArrayBuffer(8)
  const detached = new ArrayBuffer(8)
  structuredClone(detached, { transfer: [detached] })
  const { port1, port2 } = new MessageChannel()
  const wrong: unknown[][] = [
    [port1],
    [new Uint8Array(2)],
    [null],
    [new SharedArrayBuffer(8)],
    [buffer, buffer],
    [buffer, detached],
  ]
  for (const transfer of wrong) {
    const refusal = { code: 'MILLRACE_NOT_CLONEABLE', message: /transfer\[\d\]/ }
    assert.throws(() => queue.tryPut('x', { transfer: transfer as ArrayBuffer[] }), refusal)
  }
  assert.deepEqual([buffer.byteLength, queue.passed], [8, 0])
  port1.close()
  port2.close()
})

test('a thread too many is told so', async () => {
  const queue = make()
  queue.tryPut('x')
  queue.tryGet()
  const actor = new Actor({ queue: queue.handle })
  await assert.rejects(actor.call('tryPut', 'y'), { code: 'MILLRACE_END_TAKEN', message: /1 producer,/ })
  await assert.rejects(actor.call('get'), { code: 'MILLRACE_END_TAKEN', message: /1 consumer,/ })
  assert.equal(queue.tryPut('still ours'), 'ok')
  await actor.end()
})

test('what is no handle is refused', () => {
  for (const handle of [undefined, null, {}, 5, make()] as QueueHandle[]) {
    assert.throws(() => BoundedQueue.from(handle), { code: 'MILLRACE_BAD_HANDLE' })
  }
})

test('a handle travels in workerData and in postMessage, and means the same queue', async () => {
  const queue = make<string>()
  const [first, second] = [new Actor({ queue: queue.handle }), new Actor()]
  await second.call('take', queue.handle)
  assert.equal(await first.call('put', 'through the first'), 'ok')
  assert.equal(await second.call('get'), 'through the first')
  await Promise.all([first.end(), second.end()])
})

test('within a thread a handle gives the queue that is there already', () => {
  const queue = make()
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(queue.handle)
  assert.equal(BoundedQueue.from(receiveMessageOnPort(port2)?.message), queue)
  port1.close()
  port2.close()
})

test('a consumer that leaves: puts are refused, also those that were waiting', async () => {
  const queue = make({ capacity: 1 })
  queue.tryPut('x')
  const waiting = queue.put('y')
  await turn()
  queue.leaveAsConsumer()
  assert.equal(await waiting, 'closed')
  assert.equal(queue.tryPut('z'), 'closed')
})

test('queues on one stop event share its doorbells', () => {
  const stop = new StopEvent({ doorbells: 4 })
  make({ stop })
  make({ stop })
  assert.throws(() => make({ stop }), { code: 'MILLRACE_INVALID_OPTION', option: 'doorbells' })
})
