// The parts by hand, without builder and plan: PipelineStage alone, PipelineManager over stages.
import assert from 'node:assert/strict'
import { BoundedQueue, PipelineManager, PipelineStage, SENTINEL, StopEvent } from '../../src/index.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

const module = new URL('../fixtures/stages/words.ts', import.meta.url)

function* oneWord(): Generator<string> {
  yield 'word'
}

test('a stage alone gets from its queue, puts into the next, and forwards SENTINEL once', async () => {
  const stop = new StopEvent()
  const input = watch(new BoundedQueue<string>({ capacity: 2, stop }))
  const output = watch(new BoundedQueue<string>({ capacity: 2, stop }))
  const stage = new PipelineStage({ name: 'upper', module, export: 'upper', input, output })
  assert.equal(stage.state, 'planned')
  await stage.start()
  const got: string[] = []
  const reading = (async () => {
    for await (const word of output) got.push(word)
  })()
  for (const word of ['a', 'b', 'c', 'd', 'e', SENTINEL] as const) assert.equal(await input.put(word), 'ok')
  await reading
  const result = await stage.join()
  assert.deepEqual(got, ['A', 'B', 'C', 'D', 'E'])
  assert.deepEqual([result.state, result.in, result.out, result.failures], ['done', 5, 5, []])
  assert.equal(output.passed, 5)
  assert.equal(await output.get(), SENTINEL)
})

test('a stage that fails catches it, sets the stop, and its neighbours are not left waiting', async () => {
  const stop = new StopEvent()
  const input = watch(new BoundedQueue<string>({ capacity: 1, stop }))
  const output = watch(new BoundedQueue<string>({ capacity: 1, stop }))
  const stage = new PipelineStage({ name: 'bad', module, export: 'refuse', input, output })
  await stage.start()
  const reading = output.get()
  await input.put('a')
  const { state, failures, in: taken, failed } = await stage.join()
  assert.deepEqual([state, taken, failed], ['failed', 1, 1])
  assert.equal(failures[0].message, 'stage "bad" failed at item 1: Error: refused')
  assert.ok(stop.isSet)
  await reading.catch(() => {})
  assert.equal(await input.put('b'), 'stopped')
})

test('a stage whose thread exits has died, and whoever waits for it learns so', async () => {
  const input = watch(new BoundedQueue<string>({ capacity: 1 }))
  const stage = new PipelineStage({ name: 'dying', module, export: 'die', input })
  await stage.start()
  await input.put('a')
  const putting = input.put('b')
  const { state, failures, inDoubt } = await stage.join()
  assert.deepEqual([state, failures[0].code, inDoubt], ['died', 'MILLRACE_WORKER_DIED', 1])
  assert.notEqual(await putting, 'ok')
})

test('a manager joins stages that have no queues, and runs them', async () => {
  const run = new PipelineManager([
    new PipelineStage({ name: 'reader', module, export: 'reader' }),
    new PipelineStage({ name: 'upper', module, export: 'upper', capacity: 3 }),
    new PipelineStage({ name: 'reverse', module, export: 'reverse' }),
    new PipelineStage({ name: 'writer', module }),
  ])
  run.start()
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.equal(report.stages.at(-1)?.out, 100)
  assert.deepEqual(
    report.queues.map(({ from, to, capacity, passed }) => [from, to, capacity, passed]),
    [
      ['reader', 'upper', 3, 100],
      ['upper', 'reverse', 64, 100],
      ['reverse', 'writer', 64, 100],
    ],
  )
})

test('a manager takes queues that stages bring, and a stage on the loop takes a function', async () => {
  const stop = new StopEvent()
  const queue = new BoundedQueue<string>({ capacity: 5, stop })
  const got: string[] = []
  const run = new PipelineManager([
    new PipelineStage({ name: 'reader', module, export: 'reader', output: queue }),
    new PipelineStage({ name: 'end', on: 'loop', body: (word: string) => void got.push(word), input: queue }),
  ])
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.equal(got.length, 100)
  assert.equal(report.queues[0].capacity, 5)
})

test('stages that share a queue each count their own items', async () => {
  const stop = new StopEvent()
  const words = new BoundedQueue<string>({ capacity: 4, consumers: 2, stop })
  const upper = new BoundedQueue<string>({ capacity: 4, producers: 2, stop })
  const make = (name: string, more: object) => new PipelineStage({ name, module, ...more })
  const stages = [
    make('reader', { export: 'reader', output: words }),
    make('upper 1', { export: 'upper', input: words, output: upper }),
    make('upper 2', { export: 'upper', input: words, output: upper }),
    new PipelineStage({ name: 'end', on: 'loop', body: () => {}, input: upper }),
  ]
  // Both take their ends before the first word is there.
  const lives = stages.map((stage) => stage.launch())
  await Promise.all(lives.map((life) => life.ready))
  for (const life of lives) life.triggerStart()
  const [reader, first, second, end] = await Promise.all(stages.map((stage) => stage.join()))
  assert.equal(reader.out, 100)
  assert.equal(Number(first.in) + Number(second.in), 100)
  assert.deepEqual([first.out, second.out], [first.in, second.in])
  assert.deepEqual([end.in, end.out], [100, 100])
})

test('the stop event alone aborts a run', async () => {
  const stop = new StopEvent()
  const queue = new BoundedQueue<string>({ capacity: 1, stop })
  const run = new PipelineManager([
    new PipelineStage({ name: 'reader', module, export: 'reader', output: queue }),
    new PipelineStage({ name: 'end', on: 'loop', body: () => void stop.set(), input: queue }),
  ])
  assert.equal((await reportOf(run)).outcome, 'aborted')
})

test('a stop that was set is in the outcome, also when all stages end before word of it comes', async () => {
  for (const [level, outcome] of [
    ['abort', 'aborted'],
    ['drain', 'drained'],
  ] as const) {
    const stop = new StopEvent()
    const queue = new BoundedQueue<string>({ capacity: 1, stop })
    // All on the loop: they end within promises, and word of the stop comes with the loop's next turn.
    const run = new PipelineManager([
      new PipelineStage({ name: 'reader', on: 'loop', body: oneWord, output: queue }),
      new PipelineStage({ name: 'end', on: 'loop', body: () => void stop.set(level), input: queue }),
    ])
    assert.equal((await reportOf(run)).outcome, outcome)
  }
})

test('parts that do not fit together are refused where they are made', () => {
  const stage = (name: string, more = {}) => new PipelineStage({ name, module, ...more })
  assert.throws(() => new PipelineManager([stage('a')]), { code: 'MILLRACE_INVALID_OPTION' })
  assert.throws(() => new PipelineManager([stage('a'), stage('a')]), { code: 'MILLRACE_DUPLICATE_STAGE' })
  assert.throws(() => stage('a', { capasity: 1 }), {
    code: 'MILLRACE_UNKNOWN_OPTION',
    message: /^stage: unknown option "capasity"; known are name, module/,
  })
  assert.throws(() => new BoundedQueue({ size: 1 } as never), {
    code: 'MILLRACE_UNKNOWN_OPTION',
    message:
      'queue: unknown option "size"; known are capacity, capacityBytes, producers, consumers, stop, name',
  })
  assert.throws(() => new PipelineStage({ name: 'x' }), { code: 'MILLRACE_INVALID_OPTION' })
  assert.throws(() => new PipelineStage({ name: 'x', on: 'loop' }), { code: 'MILLRACE_INVALID_OPTION' })
  const [a, b] = [new BoundedQueue({ stop: new StopEvent() }), new BoundedQueue({ stop: new StopEvent() })]
  assert.throws(
    () =>
      new PipelineManager([
        stage('a', { output: a }),
        stage('b', { input: a, output: b }),
        stage('c', { input: b }),
      ]),
    { code: 'MILLRACE_STOP_NOT_LINKED' },
  )
})

test('a run is started once', async () => {
  const run = new PipelineManager([
    new PipelineStage({ name: 'reader', module, export: 'reader' }),
    new PipelineStage({ name: 'end', on: 'loop', body: () => {} }),
  ])
  run.start()
  assert.throws(() => run.start(), { code: 'MILLRACE_STATE' })
  await reportOf(run)
})
