import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BoundedQueue, EMPTY, robustPut, SENTINEL } from '../../src/index.ts'
import { runChild } from '../support/child.ts'
import { test, watch } from '../support/harness.ts'
import { Actor } from '../support/threads.ts'
import { turn, until } from '../support/turn.ts'

/** The ways in which a thread ends. Those that it chooses itself it can only choose while it is not blocked. */
const ENDINGS: Record<string, (actor: Actor) => Promise<unknown>> = {
  'is terminated': (actor) => actor.kill(),
  'calls process.exit(0)': (actor) => endBy(actor.call('exit', 0), actor),
  'calls process.exit(1)': (actor) => endBy(actor.call('exit', 1), actor),
  'comes to its end': (actor) => actor.end(),
  'dies of an uncaught error': (actor) => endBy(actor.call('throwUncaught'), actor),
}

async function endBy(call: Promise<unknown>, actor: Actor): Promise<void> {
  await call.catch((error) => assert.equal(error.code, 'GONE'))
  await actor.gone
}

const asleep = (queue: BoundedQueue, role: 'producer' | 'consumer', count: number) =>
  until(() => Array.from({ length: count }).every((_, end) => queue.memory.doorbell(role, end).isAsleep))

for (const [ending, end] of Object.entries(ENDINGS)) {
  test(`a consumer's thread that ${ending} sets free every put that is blocked, at once`, async () => {
    const queue = watch(new BoundedQueue({ capacity: 3, producers: 3 }))
    const [consumer, first, second] = [0, 1, 2].map(() => new Actor({ queue: queue.handle }))
    assert.equal(await consumer.call('tryGet'), EMPTY)
    for (const put of [first.call('tryPut', 1), second.call('tryPut', 2), queue.tryPut(3)]) {
      assert.equal(await put, 'ok')
    }
    const puts = [first.call('putSync', 'x'), queue.put('x')]
    const robust = [second.call('robustPutSync', 'x'), robustPut(queue, 'x', queue.stop)]
    await asleep(queue, 'producer', 3)
    await end(consumer)
    assert.deepEqual(await Promise.all(puts), ['closed', 'closed'])
    assert.deepEqual(await Promise.all(robust), [false, false])
    assert.equal(await first.call('robustPutSync', 'later'), false)
    await Promise.all([first.end(), second.end()])
  })

  test(`a producer's thread that ${ending} is told to every get, after what it had put`, async () => {
    const queue = watch(new BoundedQueue({ consumers: 2 }))
    const [producer, consumer] = [0, 1].map(() => new Actor({ queue: queue.handle }))
    await consumer.call('tryGet')
    queue.tryGet()
    assert.equal(await producer.call('put', 'one'), 'ok')
    assert.equal(await producer.call('put', 'two'), 'ok')
    const items = [await queue.get(), await consumer.call('get')]
    assert.deepEqual(items.toSorted(), ['one', 'two'])
    const gets = [queue.get(), consumer.call('getSync')]
    for (const get of gets) get.catch(() => {})
    await asleep(queue, 'consumer', 2)
    await end(producer)
    for (const get of gets) await assert.rejects(get, { code: 'MILLRACE_PRODUCER_GONE' })
    assert.throws(() => queue.tryGet(), { code: 'MILLRACE_PRODUCER_GONE' })
    await consumer.end()
  })
}

test('what a dead producer had put can still be got', async () => {
  const queue = watch(new BoundedQueue({ capacity: 3 }))
  const producer = new Actor({ queue: queue.handle })
  for (const item of [1, 2, 3]) await producer.call('put', item)
  const blocked = producer.call('putSync', 4)
  blocked.catch(() => {})
  await asleep(queue, 'producer', 1)
  await producer.kill()
  assert.deepEqual([await queue.get(), queue.getSync(), queue.tryGet()], [1, 2, 3])
  await assert.rejects(queue.get(), { code: 'MILLRACE_PRODUCER_GONE' })
})

test('a producer that sent SENTINEL may end: it is not missed', async () => {
  const queue = watch(new BoundedQueue())
  const producer = new Actor({ queue: queue.handle })
  await producer.call('put', 'x')
  await producer.call('put', SENTINEL)
  await producer.end()
  assert.equal(await queue.get(), 'x')
  assert.equal(await queue.get(), SENTINEL)
})

test('the death of one of two producers is told when the other has ended, not before', async () => {
  const queue = watch(new BoundedQueue({ producers: 2 }))
  const [dying, living] = [0, 1].map(() => new Actor({ queue: queue.handle }))
  await dying.call('put', 'a')
  await living.call('put', 'b')
  await dying.kill()
  assert.deepEqual([await queue.get(), await queue.get()].toSorted(), ['a', 'b'])
  const getting = queue.get()
  await living.call('put', 'c')
  assert.equal(await getting, 'c')
  const last = assert.rejects(queue.get(), { code: 'MILLRACE_PRODUCER_GONE' })
  await living.call('put', SENTINEL)
  await last
  await living.end()
})

test('when one of two consumers dies, the other gets on, also if the dead one held the whole capacity', async () => {
  const queue = watch(new BoundedQueue<number>({ capacity: 2, consumers: 2 }))
  const dying = new Actor({ queue: queue.handle })
  await dying.call('tryGet')
  assert.deepEqual([queue.tryPut(1), queue.tryPut(2), queue.tryPut(3)], ['ok', 'ok', 'full'])
  const waiting = queue.put(3)
  const living = new Actor({ queue: queue.handle })
  const getting = living.call('getSync')
  await until(() => queue.memory.doorbell('consumer', 1).isAsleep)
  await dying.kill()
  assert.equal(await waiting, 'ok')
  assert.equal(await getting, 3)
  await living.end()
})

test('when all consumers have died, puts are refused', async () => {
  const queue = watch(new BoundedQueue({ capacity: 2, consumers: 2 }))
  const actors = [0, 1].map(() => new Actor({ queue: queue.handle }))
  for (const actor of actors) await actor.call('tryGet')
  await actors[0].kill()
  assert.equal(queue.tryPut('x'), 'ok')
  await actors[1].kill()
  assert.equal(queue.tryPut('x'), 'closed')
})

test('a thread that was there before the first queue is watched too', async () => {
  const { code, stdout, stderr } = await runChild(`
    import { Worker } from 'node:worker_threads'
    import { BoundedQueue } from 'src/index.ts'
    const body = "import { parentPort } from 'node:worker_threads';" +
      "const { BoundedQueue } = await import('src/index.ts');" +
      "parentPort.once('message', (handle) => { BoundedQueue.from(handle).getSync(); BoundedQueue.from(handle).getSync() })"
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(body)))
    await new Promise((resolve) => worker.once('online', resolve))
    const queue = new BoundedQueue({ capacity: 1 })
    worker.postMessage(queue.handle)
    await queue.put('taken')
    while (queue.level > 0 || !queue.memory.doorbell('consumer', 0).isAsleep) await new Promise(setImmediate)
    await worker.terminate()
    console.log(await queue.put('x', { timeoutMs: 5_000 }))
  `)
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'closed\n', stderr: '' })
})

test('two threads hear of each other also when the thread that made their queue has let go of it', async () => {
  const [producer, consumer] = [new Actor(), new Actor()]
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { memory } = await hand(producer, consumer)
  // Weak references made in this turn hold until its end.
  for (let count = 0; count < 5; count++) {
    await turn()
    collect()
  }
  assert.equal(memory.deref(), undefined, 'the test has to let go of the queue')
  const blocked = producer.call('putSync', 'x')
  await turn()
  await consumer.kill()
  assert.equal(await blocked, 'closed')
  await producer.end()
})

async function hand(producer: Actor, consumer: Actor): Promise<{ memory: WeakRef<BoundedQueue> }> {
  const queue = new BoundedQueue({ capacity: 1 })
  await Promise.all([producer.call('take', queue.handle), consumer.call('take', queue.handle)])
  await consumer.call('tryGet')
  await producer.call('tryPut', 'fills it')
  return { memory: new WeakRef(queue) }
}
