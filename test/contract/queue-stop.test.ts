import assert from 'node:assert/strict'
import { BoundedQueue, EMPTY, robustPut, robustPutSync, SENTINEL, StopEvent } from '../../src/index.ts'
import { test, watch } from '../support/harness.ts'
import { Actor } from '../support/threads.ts'
import { turn, until } from '../support/turn.ts'

/** A put and a get blocked in this thread, and each in a thread of its own, on queues of one stop event. */
async function blockFour() {
  const stop = new StopEvent()
  const full = watch(new BoundedQueue({ capacity: 2, producers: 2, stop }))
  const empty = watch(new BoundedQueue({ consumers: 2, stop }))
  const [putter, getter] = [new Actor({ queue: full.handle }), new Actor({ queue: empty.handle })]
  full.tryPut('fills it')
  await putter.call('tryPut', 'fills it')
  const results = Promise.all([
    full.put('x'),
    putter.call('putSync', 'x'),
    empty.get(),
    getter.call('getSync'),
  ])
  await until(() =>
    [0, 1].every(
      (end) =>
        full.memory.doorbell('producer', end).isAsleep && empty.memory.doorbell('consumer', end).isAsleep,
    ),
  )
  const end = () => Promise.all([putter.end(), getter.end()])
  return { stop, full, empty, results, end }
}

test('setting the stop event here sets free every put and get that is blocked, in all threads', async () => {
  const { stop, results, end } = await blockFour()
  stop.set()
  assert.deepEqual(await results, ['stopped', 'stopped', EMPTY, EMPTY])
  await end()
})

test('so does setting it in a thread that knows none of the queues', async () => {
  const { stop, results, end } = await blockFour()
  const setter = new Actor({ stop: stop.handle })
  assert.equal(await setter.call('setStop', 'abort'), true)
  assert.deepEqual(await results, ['stopped', 'stopped', EMPTY, EMPTY])
  await Promise.all([end(), setter.end()])
})

test('a drain leaves puts and gets waiting', async () => {
  const { stop, full, empty, results, end } = await blockFour()
  stop.set('drain')
  for (let count = 0; count < 20; count++) await turn()
  assert.equal(full.passed, 2)
  const drainer = new Actor({ queue: full.handle })
  await drainer.call('get')
  await drainer.call('get')
  const feeder = new Actor({ queue: empty.handle })
  await feeder.call('put', 1)
  await feeder.call('put', 2)
  const [put, putSync, ...got] = await results
  assert.deepEqual([put, putSync, ...got.toSorted()], ['ok', 'ok', 1, 2])
  await Promise.all([end(), drainer.end(), feeder.end()])
})

test('after the stop nothing is put and nothing is got, in no form', async () => {
  const queue = watch(new BoundedQueue({ capacity: 2 }))
  queue.tryPut('x')
  queue.stop.set()
  assert.deepEqual(
    [queue.tryPut('y'), queue.putSync('y'), await queue.put('y')],
    ['stopped', 'stopped', 'stopped'],
  )
  assert.deepEqual([queue.tryGet(), queue.getSync(), await queue.get()], [EMPTY, EMPTY, EMPTY])
  assert.deepEqual([queue.level, queue.passed], [1, 1])
})

test('a queue without a stop event of its own has one, and setting it works', async () => {
  const queue = watch(new BoundedQueue())
  const getting = queue.get()
  queue.stop.set()
  assert.equal(await getting, EMPTY)
})

test('the stop event may be named in a call through any handle of it', async () => {
  const stop = new StopEvent()
  const queue = watch(new BoundedQueue({ capacity: 1, stop }))
  const same = StopEvent.from(stop.handle)
  assert.equal(robustPutSync(queue, 'x', same), true)
  const putting = robustPut(queue, 'y', same)
  await turn()
  same.set()
  assert.equal(await putting, false)
  assert.equal(robustPutSync(queue, 'z', same), false)
})

test('robustPut tells whether the item was put', async () => {
  const queue = watch(new BoundedQueue({ capacity: 1 }))
  assert.equal(await robustPut(queue, 'x', queue.stop), true)
  assert.equal(await robustPut(queue, SENTINEL, queue.stop), true)
  assert.deepEqual([queue.tryGet(), queue.tryGet()], ['x', SENTINEL])
  assert.equal(await robustPut(queue, 'more', queue.stop), false)
})

test("another queue's stop event ends an asynchronous put or get, from whatever thread it is set", async () => {
  const foreign = new StopEvent()
  const full = watch(new BoundedQueue({ capacity: 1 }))
  const empty = watch(new BoundedQueue())
  full.tryPut('fills it')
  const results = Promise.all([robustPut(full, 'x', foreign), empty.get({ stop: foreign })])
  const setter = new Actor({ stop: foreign.handle })
  await setter.call('setStop', 'abort')
  assert.deepEqual(await results, [false, EMPTY])
  assert.equal(await robustPut(full, 'x', foreign), false)
  assert.equal(full.passed, 1)
  await setter.end()
})

test('a foreign stop event that only drains, or is rung for nothing, neither ends the wait nor keeps the thread busy', async () => {
  const foreign = new StopEvent()
  const queue = watch(new BoundedQueue({ capacity: 1 }))
  queue.tryPut('fills it')
  const putting = robustPut(queue, 'x', foreign)
  await turn()
  foreign.set('drain')
  foreign.ringAll()
  for (let count = 0; count < 20; count++) await turn()
  const { wakeUps } = queue.memory.doorbell('producer', 0)
  assert.ok(wakeUps < 10, `it looked ${wakeUps} times`)
  queue.tryGet()
  assert.equal(await putting, true)
})

test('waits on a foreign stop event leave no listener behind', async () => {
  const foreign = new StopEvent()
  const queue = watch(new BoundedQueue<number>({ capacity: 1 }))
  const added: number[] = []
  const { signal } = foreign
  const counted = (name: 'addEventListener' | 'removeEventListener', by: number) => {
    const original = signal[name].bind(signal) as (...args: unknown[]) => void
    const listen = (...args: unknown[]): void => {
      added.push(by)
      original(...args)
    }
    Object.assign(signal, { [name]: listen })
  }
  counted('addEventListener', 1)
  counted('removeEventListener', -1)
  for (let item = 0; item < 20; item++) {
    const getting = queue.get({ stop: foreign })
    await turn()
    queue.tryPut(item)
    assert.equal(await getting, item)
  }
  assert.equal(added.length, 40)
  assert.equal(
    added.reduce((sum, by) => sum + by),
    0,
  )
})

test('a blocking put or get refuses a foreign stop event, always and before anything is put', () => {
  const foreign = new StopEvent()
  const queue = watch(new BoundedQueue({ capacity: 1 }))
  const refusal = { code: 'MILLRACE_STOP_NOT_LINKED' }
  assert.throws(() => robustPutSync(queue, 'x', foreign), refusal)
  assert.throws(() => queue.putSync('x', { stop: foreign, timeoutMs: 0 }), refusal)
  assert.throws(() => queue.getSync({ stop: foreign, timeoutMs: 0 }), refusal)
  assert.equal(queue.passed, 0)
})
