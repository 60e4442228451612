// What a source hears of its items: through batches, from several sources, after a death.
import assert from 'node:assert/strict'
import { pipeline, SENTINEL, start, track } from '../../src/index.ts'
import { test, watch } from '../support/harness.ts'

const LOOP = { on: 'loop' } as const
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** A source of tracked numbers that writes down what it hears of them. */
function tracked(name: string, count: number, told: string[]) {
  return pipeline('acks').source(
    name,
    function* () {
      for (const n of range(count)) {
        yield track(n, {
          ack: () => told.push(`ack ${name} ${n}`),
          nack: ({ stage }) => told.push(`nack ${name} ${n} ${stage}`),
        })
      }
    },
    LOOP,
  )
}

test('when a batch fails, every item in it is rejected', async () => {
  const told: string[] = []
  const run = watch(
    start(
      tracked('a', 9, told)
        .batch({ size: 3 })
        .stage(
          'sum',
          (items) => {
            if (items.includes(5)) throw new Error('no 5')
            return items.length
          },
          { ...LOOP, onError: 'skip' },
        )
        .sink('end', () => {}, LOOP),
    ),
  )
  await run.join()
  assert.deepEqual(
    told,
    range(9).map((n) => (n >= 4 && n <= 6 ? `nack a ${n} sum` : `ack a ${n}`)),
  )
})

test('of several sources, only the one whose item failed is told so', async () => {
  const told: string[] = []
  const run = watch(
    start(
      tracked('a', 5, told)
        .map((n) => ({ n, isBad: n === 2 }))
        .merge(tracked('b', 5, told).map((n) => ({ n, isBad: n === 4 })))
        .stage(
          'work',
          (item) => {
            if (item.isBad) throw new Error('bad')
            return item
          },
          { ...LOOP, onError: 'skip' },
        )
        .sink('end', () => {}, LOOP),
    ),
  )
  await run.join()
  const of = (name: string): string[] => told.filter((line) => line.split(' ')[1] === name)
  assert.deepEqual(
    of('a'),
    range(5).map((n) => (n === 2 ? 'nack a 2 work' : `ack a ${n}`)),
  )
  assert.deepEqual(
    of('b'),
    range(5).map((n) => (n === 4 ? 'nack b 4 work' : `ack b ${n}`)),
  )
})

test('an item whose dead letter nobody takes any more is rejected and told of all the same', async () => {
  const told: string[] = []
  const run = watch(
    start(
      tracked('a', 40, told)
        .stage(
          'work',
          (n) => {
            if (n % 2 === 0) throw new Error('even')
            return n
          },
          { ...LOOP, onError: 'dead-letter' },
        )
        .deadLetters('graveyard', () => SENTINEL, LOOP)
        .sink('end', () => {}, LOOP),
    ),
  )
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  assert.equal(report.failures.length, 20)
  assert.deepEqual(
    told,
    range(40).map((n) => (n % 2 === 0 ? `nack a ${n} work` : `ack a ${n}`)),
  )
})

test('a branch that ends early keeps nobody waiting; what was meant for it counts as dropped', async () => {
  for (const settings of [{}, { maxInFlight: 5 }]) {
    const told: string[] = []
    const run = watch(
      start(
        tracked('a', 30, told).broadcast({
          few: (branch) => branch.sink('few', (n) => (n === 3 ? SENTINEL : undefined), LOOP),
          all: (branch) => branch.sink('all', () => {}, LOOP),
        }),
        {},
        settings,
      ),
    )
    assert.equal((await run.join()).outcome, 'completed')
    assert.deepEqual(
      told,
      range(30).map((n) => `ack a ${n}`),
    )
  }
})

test('when the stream is ended early, the run ends at once; what was not delivered is not acknowledged', async () => {
  for (const settings of [{}, { maxInFlight: 5 }]) {
    const told: string[] = []
    const run = watch(
      start(
        tracked('a', 300, told).stage('work', (n) => n, LOOP),
        {},
        settings,
      ),
    )
    for await (const n of run) if (n === 20) break
    const report = await run.join()
    assert.equal(report.outcome, 'completed')
    assert.ok(told.length <= 20)
    assert.deepEqual(
      told,
      range(told.length).map((n) => `ack a ${n}`),
    )
  }
})

test('an item that fails and ends the run is neither acknowledged nor rejected, nor what comes after it', async () => {
  for (const concurrency of [1, 3]) {
    const told: string[] = []
    const work = async (n: number): Promise<number> => {
      if (n === 4) throw new Error('no 4')
      return n
    }
    const run = watch(
      start(tracked('a', 9, told).sink('end', work, { ...LOOP, concurrency, retry: { attempts: 2 } })),
    )
    await assert.rejects(run.join())
    assert.deepEqual(
      told,
      range(3).map((n) => `ack a ${n}`),
    )
    assert.equal(run.report?.stages[1].failed, 1)
  }
})

test('an item that waits for another try when the run is aborted is not acknowledged', async () => {
  const told: string[] = []
  const fail = (n: number): void => {
    if (n < 4) return
    queueMicrotask(() => run.abort('enough'))
    throw new Error('not now')
  }
  const options = { ...LOOP, retry: { attempts: 9, delayMs: 60_000 } }
  const run = watch(start(tracked('a', 9, told).sink('end', fail, options)))
  assert.equal((await run.join()).outcome, 'aborted')
  assert.deepEqual(
    told,
    range(3).map((n) => `ack a ${n}`),
  )
})
