// millrace/testing: a pipeline in one thread, in virtual time.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError, pipeline, SENTINEL, track } from '../../src/index.ts'
import { type Fault, openSimulation, simulate } from '../../src/testing.ts'
import crowd from '../fixtures/pipelines/crowd.ts'
import { test } from '../support/harness.ts'

const upper = pipeline<string>('upper').stage('upper', (text) => text.toUpperCase())

/** Numbers through a stage that keeps its state and a sink. */
const sums = (options: object = {}) =>
  pipeline('sums')
    .source('numbers', function* () {
      for (let number = 1; number <= 5; number++) yield number
    })
    .stage('work', (number) => number * 10, options)
    .sink('end', () => {})

const outcomes = (items: readonly { outcome: string }[]): string =>
  items.map(({ outcome }) => outcome).join(' ')

test('a pipeline is run with the items of the test, and gives what came out', async () => {
  const { outcome, outputs, items, report } = await simulate(upper, {}, { input: ['a', 'b'] })
  assert.equal(outcome, 'completed')
  assert.deepEqual(outputs, ['A', 'B'])
  assert.deepEqual(items, [
    { source: 'input', item: 1, value: 'a', outcome: 'delivered' },
    { source: 'input', item: 2, value: 'b', outcome: 'delivered' },
  ])
  assert.deepEqual(
    report.stages.map(({ name, host, workers }) => [name, host, workers]),
    [
      ['input', 'loop', 1],
      ['upper', 'loop', 1],
      ['outputs', 'loop', 1],
    ],
  )
})

test('a pipeline of threads and several workers is run as it is defined, in this thread', async () => {
  const { outputs, outcome } = await simulate(crowd, { items: 50, stages: 2, workers: 3, capacity: 4 })
  assert.equal(outcome, 'completed')
  assert.deepEqual(
    outputs,
    Array.from({ length: 50 }, (_, index) => index + 1),
  )
})

test('sources and sinks are replaced by name, and what reached a sink is told', async () => {
  const { delivered } = await simulate(
    sums(),
    {},
    { inputs: { numbers: [7] }, replace: { work: (number: number) => number + 1 } },
  )
  assert.deepEqual(delivered('end'), [8])
  assert.throws(() => delivered('work'), /delivered must be the name of a sink: end, got 'work'/)
})

test('time is virtual: an hour takes no time, whoever waits for it', async () => {
  const begun = process.hrtime.bigint()
  const slow = pipeline<number>('slow').stage('sleep', async (ms) => {
    const since = [Date.now(), performance.now()]
    await (ms % 2 === 0 ? sleep(ms) : new Promise((resolve) => setTimeout(resolve, ms)))
    return [Date.now() - since[0], performance.now() - since[1]]
  })
  const { outputs, elapsedMs } = await simulate(slow, {}, { input: [1_000_000, 2_000_001], startMs: 1e12 })
  assert.deepEqual(outputs, [
    [1_000_000, 1_000_000],
    [2_000_001, 2_000_001],
  ])
  assert.equal(elapsedMs, 3_000_001)
  assert.ok(process.hrtime.bigint() - begun < 10_000_000_000n)
})

test('fed by hand, a batch leaves when its time is over and not before', async () => {
  const batches = pipeline<string>('batches').batch({ size: 3, withinMs: 50 })
  await using simulation = await openSimulation(batches)
  await simulation.push('a', 'b')
  await simulation.advance(49)
  assert.deepEqual(simulation.take(), [])
  await simulation.advance(1)
  assert.deepEqual(simulation.take(), [['a', 'b']])
  await simulation.push('c', 'd', 'e', 'f')
  assert.deepEqual(simulation.take(), [['c', 'd', 'e']])
  assert.equal(outcomes(simulation.items.slice(0, 5)), 'delivered delivered delivered delivered delivered')
  const { outputs, outcome } = await simulation.end()
  assert.deepEqual(outputs, [['a', 'b'], ['c', 'd', 'e'], ['f']])
  assert.equal(outcome, 'completed')
})

test('an item that is made to throw fails, or is tried again', async () => {
  const fault: Fault = { stage: 'work', item: 3, do: 'throw', error: new Error('no') }
  const skipped = await simulate(sums({ onError: 'skip' }), {}, { faults: [fault] })
  assert.equal(outcomes(skipped.items), 'delivered delivered failed delivered delivered')
  assert.deepEqual(
    [skipped.items[2].failure?.stage, skipped.items[2].failure?.error?.message],
    ['work', 'no'],
  )
  assert.deepEqual(skipped.delivered('end'), [10, 20, 40, 50])

  const again = await simulate(sums({ retry: { attempts: 2, delayMs: 500 } }), {}, { faults: [fault] })
  assert.equal(again.outcome, 'completed')
  assert.deepEqual(again.delivered('end'), [10, 20, 30, 40, 50])
  assert.ok(again.elapsedMs >= 500)

  const stopped = await simulate(sums(), {}, { faults: [fault] })
  assert.equal(stopped.outcome, 'failed')
  assert.equal(stopped.failures[0].code, 'MILLRACE_STAGE_FAILED')
  assert.equal(stopped.items[2].outcome, 'failed')
})

test('a worker that is made to die is started again, and nothing is lost or doubled', async () => {
  for (const concurrency of [1, 3]) {
    const stage = { concurrency, restart: { delayMs: 1000 } }
    const { outcome, delivered, report, elapsedMs, items } = await simulate(
      sums(stage),
      {},
      {
        faults: [
          { stage: 'work', item: 2, do: 'crash' },
          { stage: 'end', item: 4, do: 'crash' },
        ],
      },
    )
    assert.equal(outcome, 'completed')
    assert.deepEqual(delivered('end'), [10, 20, 30, 40, 50])
    assert.deepEqual(
      report.stages.map(({ restarts }) => restarts),
      [0, 1, 1],
    )
    assert.ok(elapsedMs >= 1000)
    assert.equal(outcomes(items), 'delivered '.repeat(5).trim())
  }
})

test('an item that its worker dies of each time is a poison item', async () => {
  const options = { onError: 'dead-letter', poisonAfter: 2 }
  const { deadLetters, items } = await simulate(
    sums(options).deadLetters('/nowhere/dead.ndjson'),
    {},
    { faults: [{ stage: 'work', item: 5, do: 'crash', times: Number.POSITIVE_INFINITY }] },
  )
  assert.deepEqual(
    deadLetters.map(({ code, item, input }) => [code, item, input]),
    [['MILLRACE_POISON_ITEM', 5, 5]],
  )
  assert.equal(items[4].outcome, 'failed')
})

test('an item that hangs times out; without a time-out the simulation says what waits on what', async () => {
  const faults: Fault[] = [{ stage: 'work', item: 1, do: 'hang' }]
  const late = await simulate(sums({ timeoutMs: 200, onError: 'skip' }), {}, { faults })
  assert.equal(outcomes(late.items), 'failed delivered delivered delivered delivered')
  assert.equal(late.items[0].failure?.error?.message, 'took longer than 200 ms')
  await assert.rejects(simulate(sums(), {}, { faults }), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(error.code, 'MILLRACE_SIMULATION_STUCK')
    assert.match(error.message, /stage "work" \(loop\): running\n.*item 1 in hand/)
    return true
  })
})

test('an item can be slow, or dropped', async () => {
  const { items, elapsedMs, delivered } = await simulate(
    sums(),
    {},
    {
      faults: [
        { stage: 'work', item: 1, do: 'slow', ms: 70 },
        { stage: 'work', item: 4, do: 'drop' },
      ],
    },
  )
  assert.equal(outcomes(items), 'delivered delivered delivered dropped delivered')
  assert.deepEqual(delivered('end'), [10, 20, 30, 50])
  assert.ok(elapsedMs >= 70)
})

test('the source of the pipeline still hears what became of its items', async () => {
  const heard: string[] = []
  const tracked = pipeline('tracked')
    .source('numbers', function* () {
      for (const number of [1, 2])
        yield track(number, {
          ack: () => heard.push(`ack ${number}`),
          nack: ({ item }) => heard.push(`nack ${item}`),
        })
    })
    .sink('end', () => {}, { onError: 'skip' })
  await simulate(tracked, {}, { faults: [{ stage: 'end', item: 1, do: 'throw' }] })
  assert.deepEqual(heard, ['nack 1', 'ack 2'])
})

test('items of several sources, split and merged, are told apart', async () => {
  const flow = pipeline('flow')
    .source('a', [1, 2])
    .merge(pipeline('other').source('b', [3, 4]))
    .route((number) => (number === 4 ? undefined : number % 2 === 0 ? 'even' : 'odd'), {
      even: (numbers) => numbers.sink('even', () => {}),
      odd: (numbers) => numbers.sink('odd', () => {}),
    })
  const { items } = await simulate(flow)
  assert.deepEqual(
    items.map(({ source, item, outcome }) => `${source}${item} ${outcome}`),
    ['a1 delivered', 'a2 delivered', 'b1 delivered', 'b2 dropped'],
  )
})

test('a stage that ends the stream ends the simulation', async () => {
  const first = pipeline<number>('first').stage('until', (number) => (number === 3 ? SENTINEL : number))
  const { outputs, outcome } = await simulate(first, {}, { input: [1, 2, 3, 4, 5] })
  assert.deepEqual([outputs, outcome], [[1, 2], 'completed'])
})

test('it comes out the same each time', async () => {
  const once = async () => {
    const events: string[] = []
    const note = (text: string) => events.push(`${text} at ${Date.now()}`)
    const flow = pipeline('flow')
      .source('numbers', function* () {
        for (let number = 1; number <= 40; number++) yield number
      })
      .stage(
        'wait',
        async (number) => {
          await sleep((number * 7) % 11)
          note(`waited ${number}`)
          return number
        },
        { concurrency: 4, order: 'completion', capacity: 3 },
      )
      .batch({ size: 3, withinMs: 4 })
      .sink('end', (numbers) => note(`end ${numbers}`), { capacity: 5 })
    await simulate(flow, {}, { faults: [{ stage: 'wait', item: 9, do: 'crash' }] })
    return events
  }
  const first = await once()
  assert.ok(first.length > 50)
  for (let turn = 0; turn < 5; turn++) assert.deepEqual(await once(), first)
})

test('what is wrong with a simulation is told before anything runs', async () => {
  const cases: [run: () => Promise<unknown>, message: RegExp][] = [
    [
      () => simulate(sums(), {}, { faults: [{ stage: 'wrok', item: 1, do: 'hang' }] }),
      /fault 1: stage must be one of numbers, work, end, got 'wrok'/,
    ],
    [
      () => simulate(sums(), {}, { faults: [{ stage: 'work', item: 0, do: 'hang' }] }),
      /fault 1: item must be a positive integer, got 0/,
    ],
    [
      () => simulate(sums(), {}, { inputs: { reader: [] } }),
      /inputs must be names of sources: numbers, got 'reader'/,
    ],
    [() => simulate(sums({ workers: 0 })), /stage "work": workers must be/],
  ]
  for (const [run, message] of cases) await assert.rejects(run(), message)
})

test('one simulation at a time has the time of the thread, and gives it back', async () => {
  const simulation = await openSimulation(upper)
  await assert.rejects(simulate(upper, {}, { input: [] }), /a simulation is open in this thread/)
  await simulation[Symbol.asyncDispose]()
  const before = Date.now()
  assert.ok(before > 1.7e12)
  assert.deepEqual((await simulate(upper, {}, { input: ['x'] })).outputs, ['X'])
})
