// What becomes of an item that fails, and who hears of it.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type DeadLetter,
  type Failure,
  PipelineError,
  pipeline,
  type StageOptions,
  start,
  track,
} from '../../src/index.ts'
import hung from '../fixtures/pipelines/hung.ts'
import { test, watch } from '../support/harness.ts'

const LOOP = { on: 'loop' } as const
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const numbers = (count: number) => pipeline('outcomes').source('numbers', () => range(count), LOOP)

function throwAt(...bad: number[]) {
  return (n: number): number => {
    if (bad.includes(n)) throw new RangeError(`no ${n}`)
    return n
  }
}

// biome-ignore lint/suspicious/noExplicitAny: any pipeline will do
async function outputs(blueprint: any) {
  const run = watch(start(blueprint))
  const all: number[] = []
  for await (const output of run) all.push(output as number)
  return { all, report: await run.join() }
}

function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  return use(directory).finally(() => rmSync(directory, { recursive: true }))
}

test('onError "skip": the item has failed, the run goes on, the report tells of both', async () => {
  const { all, report } = await outputs(
    numbers(10).stage('work', throwAt(3, 7), { ...LOOP, onError: 'skip' }),
  )
  assert.deepEqual(all, [1, 2, 4, 5, 6, 8, 9, 10])
  assert.equal(report.outcome, 'completed')
  assert.equal(report.stages[1].failed, 2)
  assert.deepEqual(
    report.failures.map(({ code, stage, item }) => [code, stage, item]),
    [
      ['MILLRACE_STAGE_FAILED', 'work', 3],
      ['MILLRACE_STAGE_FAILED', 'work', 7],
    ],
  )
})

test('an item is tried as often as allowed, and told which try it is', async () => {
  const tries: [number, number][] = []
  const { all, report } = await outputs(
    numbers(4).stage(
      'work',
      (n, ctx) => {
        tries.push([n, ctx.attempt])
        if (n === 2 && ctx.attempt < 3) throw new Error('not yet')
        return n
      },
      { ...LOOP, retry: { attempts: 3 } },
    ),
  )
  assert.deepEqual(all, [1, 2, 3, 4])
  assert.deepEqual(tries, [
    [1, 1],
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [4, 1],
  ])
  assert.equal(report.stages[1].retried, 2)
  assert.equal(report.failures.length, 0)
})

test('what retry.if says no to is not tried again', async () => {
  let tries = 0
  const options: StageOptions = {
    ...LOOP,
    onError: 'skip',
    retry: { attempts: 5, if: (error) => !(error instanceof RangeError) },
  }
  await outputs(
    numbers(3).stage(
      'work',
      (n) => {
        tries++
        return throwAt(2)(n)
      },
      options,
    ),
  )
  assert.equal(tries, 3)
})

test('a retry.if that throws fails the item that it was asked of', async () => {
  for (const concurrency of [1, 2]) {
    const options: StageOptions = {
      ...LOOP,
      concurrency,
      onError: 'skip',
      retry: {
        attempts: 5,
        if: () => {
          throw new TypeError('no if')
        },
      },
    }
    const { all, report } = await outputs(numbers(3).stage('work', async (n) => throwAt(2)(n), options))
    assert.deepEqual(all, [1, 3])
    assert.deepEqual(
      report.failures.map(({ message }) => message),
      ['stage "work" failed at item 2: TypeError: no if'],
    )
  }
})

test('a generator that fails in the middle is tried again without giving twice what it gave', async () => {
  const { all } = await outputs(
    numbers(3).stage(
      'work',
      function* (n, ctx) {
        yield n * 10
        yield n * 10 + 1
        if (n === 2 && ctx.attempt === 1) throw new Error('in the middle')
        yield n * 10 + 2
      },
      { ...LOOP, retry: { attempts: 2 } },
    ),
  )
  assert.deepEqual(all, [10, 11, 12, 20, 21, 22, 30, 31, 32])
})

test('dead letters go to a stage of their own, with input, error, stage and tries', async () => {
  const letters: DeadLetter[] = []
  const { all, report } = await outputs(
    numbers(5)
      .stage('work', throwAt(4), { ...LOOP, onError: 'dead-letter', retry: { attempts: 2 } })
      .deadLetters('graveyard', (letter: DeadLetter) => void letters.push(letter), LOOP),
  )
  assert.deepEqual(all, [1, 2, 3, 5])
  assert.equal(letters.length, 1)
  const [{ stage, item, attempts, input, error, code }] = letters
  assert.deepEqual([stage, item, attempts, input, code], ['work', 4, 2, 4, 'MILLRACE_STAGE_FAILED'])
  assert.equal(error.name, 'RangeError')
  assert.equal(report.outcome, 'completed')
})

test('dead letters go to a file, one line each', () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, 'letters.ndjson')
    await outputs(
      numbers(9)
        .stage('work', throwAt(2, 5), { ...LOOP, onError: 'dead-letter' })
        .deadLetters(file),
    )
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).input),
      [2, 5],
    )
  }))

test('more failures than the budget end the run', async () => {
  const run = watch(
    start(
      numbers(100)
        .stage('work', throwAt(...range(50)), { ...LOOP, onError: 'skip', maxFailures: 10 })
        .sink('end', () => {}, LOOP),
    ),
  )
  await assert.rejects(run.join(), (error: PipelineError) => {
    assert.ok(error instanceof PipelineError)
    assert.ok(
      (error.failures as Failure[]).some(
        ({ code, stage }) => code === 'MILLRACE_TOO_MANY_FAILURES' && stage === 'work',
      ),
    )
    return true
  })
})

for (const how of ['loop', 'promise'] as const) {
  test(`an item that never comes back (${how}) is a dead letter, and the run goes on`, () =>
    inDirectory(async (directory) => {
      const letters = path.join(directory, 'letters.ndjson')
      // A machine on which ten programs run may keep a thread from an item for longer than 200 ms: that is a timeout, too.
      const timeoutMs = how === 'loop' ? 500 : 1_000
      const run = watch(start(hung, { items: 10_000, hungItem: 5_000, timeoutMs, letters, how }))
      const all: number[] = []
      for await (const number of run) all.push(number)
      const report = await run.join()
      assert.equal(report.outcome, 'completed')
      assert.deepEqual(
        all,
        range(10_000).filter((number) => number !== 5_000),
      )
      const lines = readFileSync(letters, 'utf8').trimEnd().split('\n')
      assert.equal(lines.length, 1)
      const letter = JSON.parse(lines[0])
      assert.deepEqual([letter.item, letter.input, letter.code], [5_000, 5_000, 'MILLRACE_ITEM_TIMEOUT'])
    }))
}

test('a source hears of each item when it and all before it are final', async () => {
  const told: string[] = []
  const run = watch(
    start(
      pipeline('outcomes')
        .source(
          'numbers',
          function* () {
            for (const n of range(20)) {
              yield track(n, {
                ack: () => told.push(`ack ${n}`),
                nack: (failure) => told.push(`nack ${n} ${failure.stage}`),
              })
            }
          },
          LOOP,
        )
        .stage('work', throwAt(6), { ...LOOP, onError: 'skip' })
        .batch({ size: 3 })
        .unbatch()
        .stage('thin', (n) => (n % 2 === 0 ? n : undefined), LOOP),
    ),
  )
  for await (const _ of run);
  await run.join()
  assert.deepEqual(
    told,
    range(20).map((n) => (n === 6 ? 'nack 6 work' : `ack ${n}`)),
  )
})

test('never more than maxInFlight items are under way', async () => {
  let underWay = 0
  let most = 0
  const run = watch(
    start(
      pipeline('outcomes')
        .source(
          'numbers',
          function* () {
            for (const n of range(100)) {
              underWay++
              most = Math.max(most, underWay)
              yield n
            }
          },
          LOOP,
        )
        .stage('work', (n) => n, LOOP)
        .sink('end', () => void underWay--, LOOP),
      {},
      { maxInFlight: 5 },
    ),
  )
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  // The one that is being read is not under way yet.
  assert.ok(most <= 6, `${most}`)
})

test('a stage with a rate limit begins no more items than allowed', async () => {
  const starts: number[] = []
  let readMs = 0
  const items = function* () {
    readMs = performance.now()
    for (let number = 1; number <= 11; number++) yield number
  }
  await outputs(
    pipeline('limited')
      .source('items', items, LOOP)
      .stage(
        'work',
        (n) => {
          starts.push(performance.now())
          return n
        },
        { ...LOOP, rateLimit: { items: 10, perMs: 200 } },
      ),
  )
  // Not from when the first one saw the clock: the thread may have rested since it was let begin. Timers are a millisecond early.
  for (const [index, startMs] of starts.entries()) {
    assert.ok(startMs - readMs >= index * 20 - 2, `${index}: ${startMs - readMs}`)
  }
  assert.equal(starts.length, 11)
})

test('what is done leaves, though the rate limit does not let the next item begin', async () => {
  const options: StageOptions = { ...LOOP, concurrency: 2, rateLimit: { items: 1, perMs: 60_000 } }
  const run = watch(start(numbers(3).stage('work', async (n) => n, options)))
  const outputs = run[Symbol.asyncIterator]()
  assert.deepEqual(await outputs.next(), { done: false, value: 1 })
  run.abort('enough')
  assert.equal((await run.join()).outcome, 'aborted')
})

test('a paused run takes nothing, and goes on where it was', async () => {
  const seen: number[] = []
  const run = watch(start(numbers(100).stage('work', (n) => n, LOOP)))
  let paused = false
  for await (const n of run) {
    seen.push(n as number)
    if (n === 20) {
      run.pause()
      paused = run.isPaused
      const before = seen.length
      setImmediate(() => {
        assert.ok(seen.length >= before)
        run.resume()
      })
    }
  }
  assert.ok(paused)
  assert.deepEqual(seen, range(100))
  await run.join()
})
