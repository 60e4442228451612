// Puts that wait keep their order and settle, whatever comes after them.
import assert from 'node:assert/strict'
import { BoundedQueue, EMPTY, SENTINEL, StopEvent } from '../../src/index.ts'
import { test, watch } from '../support/harness.ts'
import { exited, startWorker } from '../support/threads.ts'
import { turn, until } from '../support/turn.ts'

test('puts of one thread that wait for room keep their order, and none overtakes them', async () => {
  const queue = watch(new BoundedQueue<string>({ capacity: 1 }))
  assert.equal(queue.tryPut('a'), 'ok')
  const [b, c] = [queue.put('b'), queue.put('c')]
  assert.equal(queue.tryGet(), 'a')
  assert.equal(queue.tryPut('d'), 'full')
  const e = queue.put('e')
  const got: unknown[] = []
  for (const _ of 'bce') got.push(await queue.get())
  assert.deepEqual(got, ['b', 'c', 'e'])
  assert.deepEqual(await Promise.all([b, c, e]), ['ok', 'ok', 'ok'])
})

test('a put that waits in line gives up when its time is over, and those behind it go on', async () => {
  const queue = watch(new BoundedQueue<string>({ capacity: 1 }))
  await queue.put('a')
  const [late, next] = [queue.put('late', { timeoutMs: 1 }), queue.put('next')]
  assert.equal(await late, 'full')
  assert.equal(await queue.get(), 'a')
  assert.equal(await queue.get(), 'next')
  assert.equal(await next, 'ok')
})

test('SENTINEL waits for earlier puts of its thread, and ends those that come after it', async () => {
  const queue = watch(new BoundedQueue<string>({ capacity: 1 }))
  await queue.put('a')
  const [b, end, late] = [queue.put('b'), queue.put(SENTINEL), queue.put('late')]
  assert.equal(await queue.get(), 'a')
  assert.equal(await queue.get(), 'b')
  assert.equal(await queue.get(), SENTINEL)
  assert.deepEqual(await Promise.all([b, end, late]), ['ok', 'ok', 'closed'])
})

test('every put in line gives up at once when the queue is closed, or the stop is set', async () => {
  const stop = new StopEvent()
  const [closed, stopped] = [new BoundedQueue({ capacity: 1 }), new BoundedQueue({ capacity: 1, stop })]
  const puts = [closed, stopped].map((queue) => [queue.put(1), queue.put(2), queue.put(3)])
  await turn()
  closed.close()
  stop.set()
  assert.deepEqual(await Promise.all(puts[0]), ['ok', 'closed', 'closed'])
  assert.deepEqual(await Promise.all(puts[1]), ['ok', 'stopped', 'stopped'])
})

test('the signal of a level fires, however close to its set it is asked for', async () => {
  const worker = startWorker('set-levels', undefined)
  try {
    for (let round = 0; round < 300; round++) {
      const stop = new StopEvent()
      worker.postMessage(stop.handle)
      for (let look = round % 7; look > 0; look--) await turn()
      const signals = [stop.signalAt('drain'), stop.signalAt('abort')]
      await until(() => signals.every((signal) => signal.aborted))
    }
  } finally {
    const gone = exited(worker)
    worker.postMessage(undefined)
    await gone
  }
})

test('items in the lane of a consumer that has left are told as abandoned', async () => {
  const queue = watch(new BoundedQueue<number>({ capacity: 8 }))
  for (let number = 1; number <= 3; number++) await queue.put(number)
  assert.equal(queue.tryGet(), 1)
  assert.equal(queue.abandoned, 0)
  queue.leaveAsConsumer()
  assert.equal(queue.abandoned, 2)
  assert.equal(queue.tryGet() === EMPTY, false)
})
