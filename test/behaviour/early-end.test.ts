// Nobody wants more, and a stage upstream waits in a promise of the user's: the run ends all the same, in time.
import assert from 'node:assert/strict'
import { definePipeline, pipeline, type Report, SENTINEL, start, track } from '../../src/index.ts'
import waits from '../fixtures/pipelines/waits.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { turn } from '../support/turn.ts'

const SOON = { drainMs: 100, abortMs: 100, terminateMs: 100 }
const LOOP = { on: 'loop' } as const

/** Gives the first item, and waits for ever at the second. */
const stuckAtTwo = pipeline<number>('stuck').stage(
  'slow',
  async (number) => {
    if (number === 2) await new Promise(() => {})
    return number
  },
  LOOP,
)

function failuresOf({ failures }: Report) {
  return failures.map(({ code, stage, item }) => [code, stage, item])
}

test('breaking out ends a run whose stage in a thread waits for ever: it is terminated, and named', async () => {
  const run = watch(start(waits, { end: 'none' }, SOON))
  for await (const number of run) {
    assert.equal(number, 1)
    break
  }
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  assert.equal(report.reason, undefined)
  assert.deepEqual(failuresOf(report), [['MILLRACE_WORKER_TERMINATED', 'slow', 2]])
})

test('a sink that returns SENTINEL ends a run whose stage in a thread waits for ever', async () => {
  const report = await watch(start(waits, { end: 'sink' }, SOON)).join()
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(failuresOf(report), [['MILLRACE_WORKER_TERMINATED', 'slow', 2]])
})

test('breaking out ends a run whose stage on the loop waits for ever, and says what is wrong with it', async () => {
  const run = watch(start(stuckAtTwo, {}, { input: [1, 2, 3], ...SOON }))
  for await (const _ of run) break
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(failuresOf(report), [['MILLRACE_WORKER_STUCK', 'slow', 2]])
  assert.match(report.failures[0].message, /process function has not returned/)
  assert.doesNotMatch(report.failures[0].message, /native|terminated:/)
})

test('what is on its way to the sink has all its time, though the stream was ended before it', async () => {
  const delivered: number[] = []
  const slow = pipeline('slow')
    .source('numbers', [1, 2, 3, 4, 5], LOOP)
    .stage('take', (number) => (number === 4 ? SENTINEL : number), LOOP)
    .sink(
      'slow',
      async (number) => {
        // Longer than each of the deadlines: that is what is tried.
        await new Promise((resolve) => setTimeout(resolve, 30))
        delivered.push(number)
      },
      LOOP,
    )
  const report = await watch(start(slow, {}, { drainMs: 10, abortMs: 10, terminateMs: 10 })).join()
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(delivered, [1, 2, 3])
})

test('a stage that fails after the end was early fails the run', async () => {
  let letFail = () => {}
  const isLeft = new Promise<void>((resolve) => {
    letFail = resolve
  })
  const fails = pipeline<number>('fails').stage(
    'fails',
    async (number) => {
      if (number === 2) {
        await isLeft
        throw new Error('too late')
      }
      return number
    },
    LOOP,
  )
  const run = watch(start(fails, {}, { input: [1, 2, 3], drainMs: 10_000 }))
  const outputs = run[Symbol.asyncIterator]()
  assert.deepEqual(await outputs.next(), { done: false, value: 1 })
  const left = outputs.return?.()
  letFail()
  await assert.rejects(Promise.resolve(left), /stage "fails" failed at item 2: Error: too late/)
})

test('leaving while the pipeline is being loaded ends the run', async () => {
  async function* never() {
    await new Promise(() => {})
    yield 1
  }
  const run = watch(start(stuckAtTwo, {}, { input: never(), ...SOON }))
  const outputs = run[Symbol.asyncIterator]()
  assert.deepEqual(await outputs.return?.(), { done: true, value: undefined })
  assert.equal((await run.join()).outcome, 'completed')
})

test('a run that is aborted while its pipeline is being built ends, and nothing comes of what is built later', async () => {
  let build = (_: typeof stuckAtTwo) => {}
  const late = definePipeline(import.meta.url, (() => {
    return new Promise<typeof stuckAtTwo>((resolve) => {
      build = resolve
    })
  }) as never)
  const run = start(late, {}, { input: [1], abortMs: 20, terminateMs: 20 })
  run.abort()
  await assert.rejects(run.join(), { code: 'MILLRACE_ABORTED' })
  assert.equal(run.state, 'ended')
  build(stuckAtTwo)
  await turn()
  assert.equal(run.state, 'ended')
  assert.deepEqual(run.stages, [])
})

test('a branch that ends early does not end the other; when all have, a source that waits for ever is let go', async () => {
  const delivered: string[] = []
  async function* numbers({ signal }: { signal: AbortSignal }) {
    for (let number = 1; number <= 20; number++) yield number
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
  const deliver = (name: string, last: number) => (number: number) => {
    delivered.push(name)
    return number === last ? SENTINEL : undefined
  }
  const both = pipeline('both')
    .source('numbers', numbers, LOOP)
    .broadcast({
      short: (branch) => branch.sink('short', deliver('short', 3), LOOP),
      long: (branch) => branch.sink('long', deliver('long', 15), LOOP),
    })
  const report = await watch(start(both)).join()
  assert.equal(report.outcome, 'completed')
  assert.equal(delivered.filter((name) => name === 'short').length, 3)
  assert.equal(delivered.filter((name) => name === 'long').length, 15)
})

test('a source that tracks its items does not wait for those that were left when the stream was ended', async () => {
  const acked: number[] = []
  const tracked = pipeline('tracked')
    .source(
      'numbers',
      function* () {
        for (const number of [1, 2, 3, 4, 5]) yield track(number, { ack: () => acked.push(number) })
      },
      { on: 'loop' },
    )
    .stage('until', (number) => (number === 3 ? SENTINEL : number), { on: 'loop' })
    .sink('end', () => {}, { on: 'loop' })
  const report = await reportOf(watch(start(tracked)))
  assert.equal(report.outcome, 'completed')
  assert.equal(report.stages[1].abandoned, 2)
  assert.deepEqual(acked, [1, 2, 3])
})

test('what was left in a branch that has ended does not count as in flight', async () => {
  let passed = 0
  const split = pipeline('split')
    .source(
      'numbers',
      Array.from({ length: 100 }, (_, index) => index),
      { on: 'loop' },
    )
    .broadcast({
      ends: (numbers) => numbers.sink('ends', () => SENTINEL, { on: 'loop' }),
      goes: (numbers) =>
        numbers.sink(
          'goes',
          () => {
            passed++
          },
          { on: 'loop' },
        ),
    })
  const report = await reportOf(watch(start(split, {}, { maxInFlight: 4 })))
  assert.equal(report.outcome, 'completed')
  assert.equal(passed, 100)
})
