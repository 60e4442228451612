// How a stream ends in its middle: generators and sources clean up, SENTINEL counts wherever it comes from, and
// nothing that user code throws keeps a run from ending.
import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  BoundedQueue,
  type HostName,
  PipelineStage,
  pipeline,
  type Report,
  SENTINEL,
  type StageContext,
  StopEvent,
  start,
} from '../../src/index.ts'
import { writeLines } from '../../src/sinks.ts'
import endings, { ENDINGS, type Ending } from '../fixtures/pipelines/endings.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const LOOP = { on: 'loop' } as const

interface Expected {
  /** Items that the sink was done with, where it is certain. */
  done?: number
  cleaned?: number
  failure?: string
  code?: string
}

const CANNOT_TRAVEL = 'stage "work" failed at item 1: an item cannot travel: function'
const EXPECTED: Record<Ending, Expected> = {
  'a sink is a generator': { done: 3 },
  'a sink is an async generator': { done: 3 },
  'a sink yields a promise': { done: 3 },
  'a sink yields SENTINEL': { done: 2, cleaned: 2 },
  'a sink that is a generator returns SENTINEL': { done: 2 },
  'a sink that is an async generator returns SENTINEL': { done: 2 },
  'a sink flushes with a generator': { done: 2 },
  'a sink flushes with an async generator': { done: 2 },
  'a sink throws inside a generator': { done: 1, failure: 'stage "end" failed at item 2: Error: no 2' },
  'a sink fails inside a promise that it yields': {
    done: 1,
    cleaned: 2,
    failure: 'stage "end" failed at item 2: Error: no 2',
  },
  'a source cleans up asynchronously': { done: 2, cleaned: 1 },
  'a source yields SENTINEL': { done: 2, cleaned: 1 },
  'a source throws as it cleans up': { done: 2, cleaned: 1 },
  'an async source throws as it cleans up': { done: 2, cleaned: 1 },
  'a source never ends cleaning up': { done: 2, cleaned: 1 },
  'a map after a generator throws': { cleaned: 1, failure: 'stage "work" failed at item 1: Error: no 2' },
  'a map after an async generator throws': {
    cleaned: 1,
    failure: 'stage "work" failed at item 1: Error: no 2',
  },
  'a map after a source throws': { cleaned: 1, failure: 'stage "numbers" failed at item 2: Error: no 2' },
  'an output of a generator cannot travel': {
    cleaned: 1,
    failure: CANNOT_TRAVEL,
    code: 'MILLRACE_NOT_CLONEABLE',
  },
  'an output of a blocked generator cannot travel': {
    cleaned: 1,
    failure: CANNOT_TRAVEL,
    code: 'MILLRACE_NOT_CLONEABLE',
  },
  'a generator throws as it cleans up after an error': {
    cleaned: 1,
    failure: 'stage "work" failed at item 1: Error: no 2',
  },
  'a generator is ended by a map after it': { done: 1, cleaned: 1 },
  'a generator is ended by what it spreads into': { done: 3, cleaned: 1 },
  'open throws what cannot be read': {
    failure: 'stage "work" failed to open: Symbol(odd): seen',
    code: 'MILLRACE_OPEN_FAILED',
  },
  'process throws what cannot be read': { failure: 'stage "work" failed at item 2: Symbol(odd): seen' },
  'flush throws what cannot be read': {
    failure: 'stage "work" failed to flush: Symbol(odd): seen',
    code: 'MILLRACE_FLUSH_FAILED',
  },
  'close throws what cannot be read': {
    failure: 'stage "work" failed to close: Symbol(odd): seen',
    code: 'MILLRACE_CLOSE_FAILED',
  },
  'a source throws what cannot be read': {
    failure: 'stage "numbers" failed to read: Symbol(odd): seen',
    code: 'MILLRACE_SOURCE_FAILED',
  },
}

for (const on of ['thread', 'loop'] satisfies HostName[]) {
  for (const ending of ENDINGS) {
    test(`a run ends as it should, on a ${on}, when ${ending}`, async () => {
      const seen = new SharedArrayBuffer(8)
      const run = watch(start(endings, { ending, on, seen }))
      const report: Report = await run.join().catch((error) => error.report)
      const { done, cleaned, failure, code = 'MILLRACE_STAGE_FAILED' } = EXPECTED[ending]
      assert.deepEqual(
        report.failures.map(({ code, message }) => [code, message]),
        failure === undefined ? [] : [[code, failure]],
      )
      assert.equal(report.outcome, failure === undefined ? 'completed' : 'failed')
      const counts = new Int32Array(seen)
      if (done !== undefined) assert.equal(counts[0], done)
      if (cleaned !== undefined) assert.equal(counts[1], cleaned)
      if (ending.startsWith('a sink yields')) assert.equal(report.stages.at(-1)?.out, done)
    })
  }
}

async function collect<T>(run: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of run) all.push(item)
  return all
}

const numbers = () => pipeline('p').source('in', () => [1, 2, 3, 4], LOOP)
const endAt3 = (n: number) => (n === 3 ? SENTINEL : n)

test('SENTINEL from an operator ends the stream, sync or async', async () => {
  const filterAt3 = (n: number) => (n === 3 ? SENTINEL : true) as boolean
  const spreadAt3 = (n: number) => (n === 3 ? SENTINEL : [n]) as number[]
  for (const ended of [
    numbers().map(endAt3),
    numbers().map(async (n) => endAt3(n)),
    numbers().filter(filterAt3),
    numbers().filter(async (n) => filterAt3(n)),
    numbers().flatMap(spreadAt3),
    numbers().flatMap(async (n) => spreadAt3(n)),
    numbers().flatMap((n) => [endAt3(n)]),
    numbers().flatMap(async function* (n) {
      yield endAt3(n)
    }),
    numbers()
      .stage('work', (n) => n, LOOP)
      .map(endAt3),
  ]) {
    const run = watch(start(ended))
    assert.deepEqual(await collect(run), [1, 2])
    assert.equal((await run.join()).outcome, 'completed')
  }
})

test('what a stage flushes is sent on also after its SENTINEL', async () => {
  const stage = {
    process: (n: number) => endAt3(n),
    flush: function* () {
      yield 10
      yield 20
    },
  }
  assert.deepEqual(await collect(watch(start(numbers().stage('work', stage, LOOP)))), [1, 2, 10, 20])
})

test('flatMap spreads a string into its characters', async () => {
  const words = pipeline('p').source('in', () => ['ab', 'ç😀'], LOOP)
  assert.deepEqual(await collect(watch(start(words.flatMap(String)))), ['a', 'b', 'ç', '😀'])
  const later = words.flatMap(async (word) => String(word))
  assert.deepEqual(await collect(watch(start(later))), ['a', 'b', 'ç', '😀'])
})

for (const [given, shown] of [
  [undefined, 'undefined'],
  [null, 'null'],
  [42, '42'],
  [{ a: 1 }, '{ a: 1 }'],
] as const) {
  test(`flatMap over ${shown} fails the item, and says why`, async () => {
    for (const spread of [() => given as never, async () => given as never]) {
      const report = await reportOf(
        start(
          numbers()
            .flatMap(spread)
            .sink('out', () => {}, LOOP),
        ),
      )
      assert.deepEqual(
        report.failures.map(({ code, message }) => [code, message]),
        [
          [
            'MILLRACE_INVALID_STAGE',
            `stage "in" failed at item 1: flatMap must give an iterable, got ${shown}`,
          ],
        ],
      )
    }
  })
}

test('an input that throws or hangs when it is closed early does not fail the run', async () => {
  const answers: (() => unknown)[] = [
    () => {
      throw new Error('not closed')
    },
    () => Promise.reject(new Error('not closed')),
    () => new Promise(() => {}),
  ]
  for (const answer of answers) {
    for (const kind of [Symbol.iterator, Symbol.asyncIterator]) {
      const input = { [kind]: () => ({ next: () => ({ done: false, value: 1 }), return: answer }) }
      const identity = pipeline<number>('p').stage('work', (n) => n, LOOP)
      const run = watch(start(identity, {}, { input: input as unknown as Iterable<number> }))
      for await (const _ of run) break
      assert.equal((await run.join()).outcome, 'completed')
    }
  }
})

test('a source that is waiting when the drain begins is not waited for, nor its cleanup', async () => {
  let isWaiting = false
  const source = async function* () {
    try {
      yield 1
      isWaiting = true
      await new Promise(() => {})
    } finally {
      assert.fail('it cannot be interrupted')
    }
  }
  const run = start(
    pipeline('p')
      .source('in', source, LOOP)
      .sink('out', () => {}, LOOP),
    {},
    { drainMs: 5_000 },
  )
  await until(() => isWaiting)
  run.drain()
  const report = await reportOf(run)
  assert.equal(report.outcome, 'drained')
})

test('an item that the source gives too late for the drain is abandoned', async () => {
  let isAsked = false
  let give: (step: IteratorResult<number>) => void = () => {}
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        isAsked = true
        return new Promise<IteratorResult<number>>((resolve) => {
          give = resolve
        })
      },
      return: async () => {
        give({ done: false, value: 1 })
        return { done: true as const, value: undefined }
      },
    }),
  }
  const run = start(
    pipeline('p')
      .source('in', source, LOOP)
      .sink('out', () => {}, LOOP),
  )
  await until(() => isAsked)
  run.drain()
  const report = await reportOf(run)
  assert.equal(report.outcome, 'drained')
  assert.deepEqual([report.stages[0].out, report.stages[0].abandoned], [0, 1])
})

test('an item that a source could not place before the abort is abandoned', async () => {
  for (const isAsync of [false, true]) {
    const numbers = [1, 2, 3, 4]
    const source = isAsync
      ? async function* () {
          yield* numbers
        }
      : () => numbers
    let leave = () => {}
    const sink = () => new Promise<void>((resolve) => (leave = resolve))
    const run = watch(
      start(
        pipeline('p')
          .source('in', source, LOOP)
          .sink('out', sink, { ...LOOP, capacity: 1 }),
      ),
    )
    await until(() => run.stages[1]?.counters?.inHand === 1 && run.stages[0]?.counters?.read === 2)
    run.drain()
    run.abort()
    leave()
    const report = await reportOf(run)
    assert.equal(report.outcome, 'aborted')
    assert.deepEqual([report.stages[0].out, report.stages[0].abandoned], [1, 1])
  }
})

for (const options of [{}, { concurrency: 2, retry: { attempts: 2 } }, { onError: 'skip' }] as const) {
  test(`an item whose function ends with ctx.signal at an abort is abandoned: ${JSON.stringify(options)}`, async () => {
    let begun = 0
    const untilAborted = (_: number, { signal }: StageContext): Promise<never> => {
      begun++
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const run = watch(
      start(
        pipeline('p')
          .source('in', () => [1, 2], LOOP)
          .sink('out', untilAborted, { ...LOOP, ...options }),
      ),
    )
    await until(() => begun > 0 && run.stages[0]?.counters?.read === 2)
    run.abort()
    const report = await reportOf(run)
    assert.deepEqual([report.outcome, report.failures], ['aborted', []])
    assert.deepEqual([report.stages[1].failed, report.stages[1].abandoned], [0, report.stages[1].in])
  })
}

test('a stage on the loop that cannot even be made ends, and says why', async () => {
  const input = watch(new BoundedQueue<number>({ stop: new StopEvent() }))
  input.memory.claim('consumer', 12_345)
  const stage = new PipelineStage({ name: 'late', on: 'loop', body: () => {}, input })
  await stage.start()
  const { state, failures } = await stage.join()
  assert.deepEqual([state, failures.map(({ code }) => code)], ['died', ['MILLRACE_END_TAKEN']])
  assert.match(failures[0].message, /^stage "late" could not start: /)
  assert.ok(input.stop.isSet)
})

test('writeLines fails the run when what it holds cannot be written', {
  skip: !existsSync('/dev/full') && 'there is no /dev/full',
}, async () => {
  const lines = () => pipeline('p').source('in', () => ['a', 'b', 'c'], LOOP)
  const held = await reportOf(start(lines().sink('out', writeLines('/dev/full'), LOOP)))
  assert.equal(held.outcome, 'failed')
  assert.equal(held.failures[0].code, 'MILLRACE_CLOSE_FAILED')
  assert.match(
    held.failures[0].message,
    /the last 3 lines could not be written to \/dev\/full: ENOSPC: no space left/,
  )
  assert.equal(held.failures[0].error?.fields?.code, 'ENOSPC')
  const sink = writeLines('/dev/full', { bufferBytes: 0 })
  const straight = await reportOf(start(lines().sink('out', sink, LOOP)))
  assert.deepEqual(
    straight.failures.map(({ code, item }) => [code, item]),
    [['MILLRACE_STAGE_FAILED', 1]],
  )
  assert.equal(straight.stages[1].out, 0)
})

test('writeLines does not write again at its close what could not be written', async () => {
  const fd = openSync(fileURLToPath(import.meta.url), 'r')
  try {
    const { open, process, close } = writeLines(fd, { bufferBytes: 0 })
    const file = await open?.(undefined as never)
    assert.ok(file !== undefined)
    assert.throws(() => process('line', file, undefined as never), {
      code: 'EBADF',
      message: /^the last line could not be written to descriptor \d+: EBADF/,
    })
    await close?.(file, undefined as never)
  } finally {
    closeSync(fd)
  }
})
