import assert from 'node:assert/strict'
import { BoundedQueue, SENTINEL } from '../../src/index.ts'
import { consume, GET_FORMS, type GetForm, PUT_FORMS, type PutForm, produce } from '../support/forms.ts'
import { test, watch } from '../support/harness.ts'
import { Actor } from '../support/threads.ts'
import { until } from '../support/turn.ts'

const ITEMS = 200

interface Side {
  take(queue: BoundedQueue): Promise<void>
  produce(form: PutForm, producer: number, count: number): Promise<string>
  consume(form: GetForm): Promise<unknown[]>
  end(): Promise<void>
}

/** This thread as a side of a queue. */
function here(): Side {
  let queue: BoundedQueue
  return {
    take: async (given) => void (queue = given),
    produce: (form, producer, count) => produce(queue, form, producer, count),
    consume: (form) => consume(queue, form),
    end: async () => {},
  }
}

/** Another thread as a side of a queue. */
function inThread(): Side {
  const actor = new Actor()
  return {
    take: (queue) => actor.call('take', queue.handle),
    produce: (form, producer, count) => actor.call('produce', form, producer, count),
    consume: (form) => actor.call('consume', form),
    end: () => actor.end(),
  }
}

const PLACEMENTS = [
  ['from the main thread to another', here, inThread],
  ['from another thread to the main one', inThread, here],
  ['from thread to thread', inThread, inThread],
  ['within one thread', here, here],
] as const

for (const [placement, makeProducer, makeConsumer] of PLACEMENTS) {
  test(`${placement}, items arrive once and in order, whatever the forms of put and get`, async () => {
    const [producer, consumer] = [makeProducer(), makeConsumer()]
    const mayBlock = makeProducer !== makeConsumer || makeProducer === inThread
    for (const put of PUT_FORMS) {
      for (const get of GET_FORMS) {
        if (!mayBlock && (put === 'putSync' || get === 'getSync')) continue
        for (const capacity of [1, 3]) {
          const queue = watch(new BoundedQueue({ capacity }))
          await Promise.all([producer.take(queue), consumer.take(queue)])
          // The side that may block this thread comes second.
          const [gotFirst, putting, gotSecond] =
            makeProducer === here
              ? [consumer.consume(get), producer.produce(put, 7, ITEMS), undefined]
              : [undefined, producer.produce(put, 7, ITEMS), consumer.consume(get)]
          const got = await (gotFirst ?? gotSecond)
          const what = `${put} and ${get}, capacity ${capacity}`
          assert.equal(await putting, 'ok', what)
          assert.deepEqual(
            got,
            Array.from({ length: ITEMS }, (_, number) => [7, number]),
            what,
          )
          assert.deepEqual([queue.level, queue.passed], [0, ITEMS], what)
          assert.ok(queue.peak >= 1 && queue.peak <= capacity, what)
        }
      }
    }
    await Promise.all([producer.end(), consumer.end()])
  })
}

test('several producers and consumers: every item arrives once, those of one producer in order at each', async () => {
  const producers = [inThread(), inThread(), here()]
  const consumers = [inThread(), inThread()]
  for (const capacity of [3, 4, 11]) {
    const queue = watch(new BoundedQueue({ capacity, producers: 3, consumers: 2 }))
    await Promise.all([...producers, ...consumers].map((side) => side.take(queue)))
    const getting = [consumers[0].consume('getSync'), consumers[1].consume('get')]
    const putting = [
      producers[0].produce('putSync', 0, ITEMS),
      producers[1].produce('put', 1, ITEMS),
      producers[2].produce('put', 2, ITEMS),
    ]
    assert.deepEqual(await Promise.all(putting), ['ok', 'ok', 'ok'])
    const got = (await Promise.all(getting)) as [number, number][][]
    for (const producer of [0, 1, 2]) {
      const each = got.map((items) => items.filter(([from]) => from === producer).map(([, number]) => number))
      for (const numbers of each)
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      assert.deepEqual(
        each.flat().toSorted((a, b) => a - b),
        Array.from({ length: ITEMS }, (_, number) => number),
      )
    }
    assert.equal(queue.passed, 3 * ITEMS)
    assert.ok(queue.peak <= capacity)
  }
  await Promise.all([...producers, ...consumers].map((side) => side.end()))
})

test('values of every kind arrive as they were, in another thread and back', async () => {
  const values = [
    undefined,
    null,
    true,
    -0,
    1e300,
    12n ** 40n,
    'text \u{1f600} \ud800',
    new Date(0),
    /a+/gi,
    { deep: { er: [new Map([[1, new Set(['a'])]])] } },
    new Uint8Array([1, 2, 3]),
    new Float64Array([0.5, Number.NaN]),
    new ArrayBuffer(5),
    Object.assign(new RangeError('no'), { code: 'E_NO' }),
  ]
  const out = watch(new BoundedQueue({ capacity: 2 }))
  const back = watch(new BoundedQueue({ capacity: 2 }))
  const actor = new Actor({ queue: out.handle })
  for (const value of values) {
    await out.put(value)
    const forwarded = actor.call('forward', back.handle)
    assert.deepEqual(await back.get(), value)
    assert.equal(await forwarded, 'ok')
  }
  await actor.end()
})

test('iterating over a queue gives its items and ends at SENTINEL', async () => {
  const queue = watch(new BoundedQueue<number>({ capacity: 2 }))
  const got: number[] = []
  const reading = (async () => {
    for await (const item of queue) got.push(item)
  })()
  for (let item = 0; item < 10; item++) await queue.put(item)
  await queue.put(SENTINEL)
  await reading
  assert.deepEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('several gets of one thread that wait at once each get an item of their own', async () => {
  const queue = watch(new BoundedQueue<number>())
  const gets = [queue.get(), queue.get(), queue.get()]
  for (const item of [1, 2, 3]) await queue.put(item)
  assert.deepEqual((await Promise.all(gets)).toSorted(), [1, 2, 3])
})

test('several puts of one thread that wait at once are all put', async () => {
  const queue = watch(new BoundedQueue<number>({ capacity: 1 }))
  const puts = [0, 1, 2, 3].map((item) => queue.put(item))
  const got = [await queue.get(), await queue.get(), await queue.get(), await queue.get()]
  assert.deepEqual(await Promise.all(puts), ['ok', 'ok', 'ok', 'ok'])
  assert.deepEqual(got.toSorted(), [0, 1, 2, 3])
})

test('an item goes to a consumer that waits, not to one that is busy with its last item', async () => {
  const queue = watch(new BoundedQueue<number>({ consumers: 2 }))
  const [busy, waiting] = [new Actor({ queue: queue.handle }), new Actor({ queue: queue.handle })]
  await busy.call('tryGet')
  const first = waiting.call('getSync')
  await until(() => queue.memory.doorbell('consumer', 1).isAsleep)
  assert.equal(queue.tryPut(1), 'ok')
  assert.equal(await first, 1)
  await Promise.all([busy.end(), waiting.end()])
})
