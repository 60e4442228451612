// Several workers in a stage: order, balance, keys, promises.
import assert from 'node:assert/strict'
import { pipeline, start } from '../../src/index.ts'
import crew, { type CrewOptions } from '../fixtures/pipelines/crew.ts'
import { reportOf } from '../support/balance.ts'
import { Gates } from '../support/gates.ts'
import { test, watch } from '../support/harness.ts'
import { turn } from '../support/turn.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b)

async function outputs(options: CrewOptions, seen: (number: number) => void = () => {}): Promise<number[]> {
  const run = watch(start(crew, options))
  const all: number[] = []
  for await (const number of run) {
    all.push(number)
    seen(number)
  }
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  for (const stage of report.stages.slice(1)) {
    const { done, dropped, failed, abandoned, inDoubt } = stage
    assert.equal(stage.in, done + dropped + failed + abandoned + inDoubt, `stage "${stage.name}"`)
  }
  return all
}

test('with order "input", four workers whose times vary a hundredfold give what one would', async () => {
  assert.deepEqual(await outputs({ form: 'varied', items: 2_000 }), range(2_000))
})

test('with order "completion", everything comes, each once', async () => {
  assert.deepEqual(sorted(await outputs({ form: 'varied', items: 2_000, order: 'completion' })), range(2_000))
})

test('order "input" holds over several such stages that drop items and make several of one', async () => {
  const expected = range(600)
    .flatMap((number) => Array.from({ length: number % 3 }, (_, copy) => number * 10 + copy))
    .filter((number) => number % 4 !== 0)
  assert.deepEqual(await outputs({ form: 'two stages', items: 600, workers: 3 }), expected)
})

test('without an order, one slow item holds up only its own worker', async () => {
  const gates = new Gates()
  const options: CrewOptions = { form: 'one is slow', items: 60, order: 'completion', gates: gates.memory }
  const all = await outputs(options, () => void gates.count(0))
  assert.deepEqual(sorted(all), range(60))
  assert.ok(all.indexOf(1) >= 40)
})

test('one key is always with one worker, in its order', async () => {
  for (const order of ['input', 'completion'] as const) {
    const all = await outputs({ form: 'keys', items: 1_000, order })
    const workersOf = new Map<number, Set<number>>()
    const lastOf = new Map<number, number>()
    for (const output of all) {
      const [number, worker] = [Math.floor(output / 100), output % 100]
      const key = number % 7
      workersOf.set(key, (workersOf.get(key) ?? new Set()).add(worker))
      assert.ok((lastOf.get(key) ?? 0) < number, `key ${key}: ${number} after ${lastOf.get(key)}`)
      lastOf.set(key, number)
    }
    assert.deepEqual(
      [...workersOf.values()].map((workers) => workers.size),
      new Array(7).fill(1),
    )
    assert.ok(new Set(all.map((output) => output % 100)).size > 1, 'all keys went to one worker')
    if (order === 'input')
      assert.deepEqual(
        all.map((output) => Math.floor(output / 100)),
        range(1_000),
      )
    assert.equal(all.length, 1_000)
  }
})

test('with concurrency, promises run side by side and leave in the order asked for', async () => {
  const inOrder = await outputs({ form: 'promises', items: 40, gates: new Gates().memory })
  assert.deepEqual(inOrder, range(40))
  const asCompleted = await outputs({
    form: 'promises',
    items: 40,
    order: 'completion',
    gates: new Gates().memory,
  })
  assert.deepEqual(sorted(asCompleted), range(40))
  assert.notDeepEqual(asCompleted, range(40))
})

test('a sink that has as many items in hand as it may have, and the last of them, comes to its end', async () => {
  const delivered: number[] = []
  const all = pipeline('last items')
    .source('numbers', [1, 2], { on: 'loop' })
    .sink(
      'end',
      async (number) => {
        // The end of the stream is there by then.
        for (let turns = 0; turns < 20; turns++) await turn()
        delivered.push(number)
      },
      { on: 'loop', concurrency: 2 },
    )
  const report = await reportOf(watch(start(all)))
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(delivered, [1, 2])
})
