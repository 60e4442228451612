// Flows that are no chain: batches, splits, merges.
import assert from 'node:assert/strict'
import { pipeline, type Report, SENTINEL, type StageOptions, start } from '../../src/index.ts'
import { test, watch } from '../support/harness.ts'

const LOOP = { on: 'loop' } as const
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const numbers = (count: number, name = 'numbers') => pipeline('shapes').source(name, () => range(count), LOOP)

// biome-ignore lint/suspicious/noExplicitAny: any pipeline will do
async function outputs(blueprint: any): Promise<{ all: any[]; report: Report }> {
  const run = watch(start(blueprint))
  const all: unknown[] = []
  for await (const output of run) all.push(output)
  return { all, report: await run.join() }
}

test('batches are of the size asked for; the last one is what is left', async () => {
  const { all } = await outputs(
    numbers(25)
      .batch({ size: 10 })
      .stage('sum', (rows) => rows, LOOP),
  )
  assert.deepEqual(
    all.map((rows) => rows.length),
    [10, 10, 5],
  )
  assert.deepEqual(all.flat(), range(25))
})

test('batch and unbatch undo each other', async () => {
  const { all } = await outputs(numbers(100).batch({ size: 7 }).unbatch())
  assert.deepEqual(all, range(100))
})

test('batches by key hold one key each', async () => {
  const { all } = await outputs(
    numbers(30)
      .batch({ size: 5, by: (number) => number % 3 })
      .stage('look', (rows) => rows, LOOP),
  )
  for (const rows of all) assert.equal(new Set(rows.map((number: number) => number % 3)).size, 1)
  assert.deepEqual(
    all.flat().sort((a: number, b: number) => a - b),
    range(30),
  )
})

test('more keys than places do not lock it up', async () => {
  const options: StageOptions = { on: 'loop', capacity: 4 }
  const { all } = await outputs(
    numbers(200)
      .batch({ withinMs: 600_000, by: (number) => number % 50 })
      .stage('look', (rows) => rows, options),
  )
  assert.equal(all.flat().length, 200)
})

test('batches by bytes that the queue cannot hold leave before their time', async () => {
  const options: StageOptions = { on: 'loop', capacity: 64, capacityBytes: 8192 }
  const big = pipeline('shapes').source('texts', () => range(40).map((n) => String(n).padEnd(1500)), LOOP)
  const { all } = await outputs(big.batch({ size: 30 }).stage('look', (rows) => rows, options))
  assert.equal(all.flat().length, 40)
})

test('a batch leaves in time while nothing else comes', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  async function* slow() {
    yield 1
    yield 2
    await held
    yield 3
  }
  const run = watch(
    start(
      pipeline('shapes')
        .source('slow', slow, LOOP)
        .batch({ size: 10, withinMs: 30 })
        .stage('look', (rows) => rows, LOOP),
    ),
  )
  const all: number[][] = []
  for await (const rows of run) {
    all.push(rows)
    // The first one came though the source is waiting for us.
    release()
  }
  assert.deepEqual(all, [[1, 2], [3]])
  await run.join()
})

test('broadcast gives every item to every branch; merge joins what comes out', async () => {
  const { all, report } = await outputs(
    numbers(20)
      .broadcast({
        double: (branch) => branch.stage('double', (n) => n * 2, LOOP),
        negate: (branch) => branch.stage('negate', (n) => -n, LOOP),
      })
      .merge(),
  )
  const expected = [...range(20).map((n) => n * 2), ...range(20).map((n) => -n)]
  const sort = (list: number[]) => [...list].sort((a, b) => a - b)
  assert.deepEqual(sort(all), sort(expected))
  assert.deepEqual(
    all.filter((n) => n < 0),
    range(20).map((n) => -n),
  )
  assert.equal(report.outcome, 'completed')
})

test('route gives each item to one branch; undefined drops it', async () => {
  const got: Record<string, number[]> = { even: [], odd: [] }
  const sink = (name: 'even' | 'odd') => (n: number) => void got[name].push(n)
  const report = await watch(
    start(
      numbers(21).route((n) => (n === 7 ? undefined : n % 2 === 0 ? 'even' : 'odd'), {
        even: (branch) => branch.sink('even sink', sink('even'), LOOP),
        odd: (branch) => branch.stage('pass', (n) => n, LOOP).sink('odd sink', sink('odd'), LOOP),
      }),
    ),
  ).join()
  assert.deepEqual(
    got.even,
    range(10).map((n) => n * 2),
  )
  assert.deepEqual(got.odd, [1, 3, 5, 9, 11, 13, 15, 17, 19, 21])
  assert.equal(report.outcome, 'completed')
})

test('a branch that does not exist is named in the error, with those that do', async () => {
  const run = watch(
    start(
      numbers(3).route((n) => (n === 2 ? 'nowhere' : 'a') as 'a', {
        a: (branch) => branch.sink('sink', () => {}, LOOP),
      }),
    ),
  )
  await assert.rejects(run.join(), (error: Error & { failures: { code: string; message: string }[] }) => {
    assert.equal(error.failures[0].code, 'MILLRACE_UNKNOWN_BRANCH')
    assert.match(error.failures[0].message, /nowhere.*branches are a/)
    return true
  })
})

test('several sources flow into one stage', async () => {
  const { all } = await outputs(
    numbers(10, 'one')
      .merge(pipeline('other').source('two', () => range(10).map((n) => n + 100), LOOP))
      .stage('look', (n) => n, LOOP),
  )
  assert.deepEqual(
    [...all].sort((a, b) => a - b),
    [...range(10), ...range(10).map((n) => n + 100)],
  )
})

test('a branch that ends early does not end the others', async () => {
  const got: number[] = []
  const report = await watch(
    start(
      numbers(50).broadcast({
        few: (branch) =>
          branch.sink('few', (n) => (n === 3 ? (Symbol.for('millrace.SENTINEL') as never) : undefined), LOOP),
        all: (branch) => branch.sink('all', (n) => void got.push(n), LOOP),
      }),
    ),
  ).join()
  assert.deepEqual(got, range(50))
  assert.equal(report.outcome, 'completed')
})

test('an item goes on to its other branches when one of them ends while it waits for room there', async () => {
  const seen: number[] = []
  const both = async function* (n: number) {
    yield { n, to: 'short' as const }
    yield { n, to: 'long' as const }
  }
  // Leaves only when nothing else can happen: the stage before waits for room in its queue.
  const leave = async () => {
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    return SENTINEL
  }
  const run = watch(
    start(
      numbers(20)
        .stage('both', both, LOOP)
        .route(({ to }) => to, {
          short: (branch) => branch.sink('short', leave, { ...LOOP, capacity: 1 }),
          long: (branch) => branch.sink('long', ({ n }) => void seen.push(n), LOOP),
        }),
    ),
  )
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(seen, range(20))
})

test('live video: a slow reader gets the newest, and what it missed is counted', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  async function* frames() {
    for (let n = 1; n <= 100; n++) yield n
    release()
  }
  const got: number[] = []
  const report = await watch(
    start(
      pipeline('shapes')
        .source('frames', frames, LOOP)
        .sink(
          'screen',
          async (n) => {
            got.push(n)
            await held
          },
          { on: 'loop', capacity: 2, overflow: 'drop-old' },
        ),
    ),
  ).join()
  assert.equal(got.at(-1), 100)
  assert.ok(got.length <= 4, `${got}`)
  const dropped = report.queues.reduce((sum, queue) => sum + queue.dropped, 0)
  assert.equal(got.length + dropped, 100)
})

test('drop-new keeps what is there', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  async function* frames() {
    for (let n = 1; n <= 100; n++) yield n
    release()
  }
  const got: number[] = []
  const report = await watch(
    start(
      pipeline('shapes')
        .source('frames', frames, LOOP)
        .sink(
          'screen',
          async (n) => {
            got.push(n)
            await held
          },
          { on: 'loop', capacity: 2, overflow: 'drop-new' },
        ),
    ),
  ).join()
  assert.deepEqual(got.slice(0, 2), [1, 2])
  const dropped = report.queues.reduce((sum, queue) => sum + queue.dropped, 0)
  assert.equal(got.length + dropped, 100)
})
