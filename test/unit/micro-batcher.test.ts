import assert from 'node:assert/strict'
import { Deferred } from '../../src/deferred.ts'
import { MicroBatcher } from '../../src/onnx/micro-batcher.ts'
import { test } from '../support/harness.ts'

/** Keeps what it is given, and gives it back when it is told to. */
class Machine {
  readonly batches: number[][] = []
  #gate = new Deferred()
  readonly run = async (items: number[]): Promise<number[]> => {
    this.batches.push(items)
    await this.#gate.promise
    return items.map((item) => item * 10)
  }

  open(): void {
    this.#gate.resolve()
    this.#gate = new Deferred()
  }
}

test('what waits goes together, up to the limit; what comes meanwhile gathers for the next', async () => {
  const machine = new Machine()
  const batcher = new MicroBatcher(3, 0, machine.run)
  const first = [1, 2, 3].map((item) => batcher.add(item))
  assert.deepEqual(machine.batches, [[1, 2, 3]])
  const second = [4, 5].map((item) => batcher.add(item))
  assert.equal(machine.batches.length, 1)
  machine.open()
  assert.deepEqual(await Promise.all(first), [10, 20, 30])
  // They do not wait for a third.
  while (machine.batches.length < 2) await new Promise(setImmediate)
  assert.deepEqual(machine.batches[1], [4, 5])
  machine.open()
  assert.deepEqual(await Promise.all(second), [40, 50])
})

test('with a time the first one waits for others, but not when the batch is full', async () => {
  const batches: number[][] = []
  const run = async (items: number[]): Promise<number[]> => {
    batches.push(items)
    return items
  }
  const slow = new MicroBatcher(2, 60_000, run)
  const both = [slow.add(1), slow.add(2)]
  assert.deepEqual(await Promise.all(both), [1, 2])
  const quick = new MicroBatcher(100, 5, run)
  assert.deepEqual(await Promise.all([quick.add(3), quick.add(4)]), [3, 4])
  assert.deepEqual(batches, [
    [1, 2],
    [3, 4],
  ])
})

test('when a batch fails, each of its items is tried alone, and the next batch is tried', async () => {
  const batches: number[][] = []
  const batcher = new MicroBatcher(3, 0, async (items: number[]) => {
    batches.push(items)
    if (items.includes(2)) throw new Error('not 2')
    return items
  })
  const results = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.add(item)))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  )
  assert.deepEqual(batches, [[1, 2, 3], [1], [2], [3], [4]])
})

test('what comes while a batch is computed waits from then on, not from the end of that', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const machine = new Machine()
  const batcher = new MicroBatcher(2, 1_000, machine.run)
  const first = [batcher.add(1), batcher.add(2)]
  const late = batcher.add(3)
  t.mock.timers.tick(1_000)
  machine.open()
  await Promise.all(first)
  await new Promise(setImmediate)
  assert.deepEqual(machine.batches, [[1, 2], [3]])
  machine.open()
  assert.equal(await late, 30)
  t.mock.timers.reset()
})

test('when it is told to hurry, what waits for others is begun, and nothing waits any more', async () => {
  const batches: number[][] = []
  const batcher = new MicroBatcher(8, 60_000, async (items: number[]) => {
    batches.push(items)
    return items
  })
  const waiting = batcher.add(1)
  batcher.hurry()
  assert.equal(await waiting, 1)
  assert.equal(await batcher.add(2), 2)
  assert.deepEqual(batches, [[1], [2]])
})

test('when it is closed, nothing more is begun, and no timer is left', async () => {
  const machine = new Machine()
  const batcher = new MicroBatcher(2, 60_000, machine.run)
  void batcher.add(1)
  batcher.close()
  await new Promise(setImmediate)
  assert.deepEqual(machine.batches, [])
})
