// What is wrong is said clearly, by code, and before any thread starts where it can be known then.
import assert from 'node:assert/strict'
import process from 'node:process'
import { type MillraceError, type Pipeline, pipeline, type Report, start } from '../../src/index.ts'
import chain from '../fixtures/pipelines/chain.ts'
import trouble from '../fixtures/pipelines/trouble.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

const source = () => [1, 2]
const begun = () => pipeline('p').source('in', source, { on: 'loop' })
const broken = (name: string) => new URL(`../fixtures/broken/${name}`, import.meta.url)

interface Case {
  what: unknown
  code: string
  message: RegExp
  options?: Record<string, unknown>
  settings?: Record<string, unknown>
}

const INVALID: Record<string, Case> = {
  'two stages of one name': {
    what: begun()
      .stage('x', (n) => n)
      .stage('x', (n) => n)
      .sink('out', () => {}),
    code: 'MILLRACE_DUPLICATE_STAGE',
    message: /^pipeline "p": two stages are named "x"$/,
  },
  'a capacity of 0': {
    what: begun()
      .stage('x', (n) => n, { capacity: 0 })
      .sink('out', () => {}),
    code: 'MILLRACE_INVALID_OPTION',
    message: /^stage "x": capacity must be an integer from 1 to 1,048,576, got 0$/,
  },
  'a capacity that is no number': {
    what: begun().sink('out', () => {}, { capacity: '8' as never }),
    code: 'MILLRACE_INVALID_OPTION',
    message: /^stage "out": capacity must be .*, got '8'$/,
  },
  'an option that does not exist': {
    what: begun()
      .stage('x', (n) => n, { capasity: 8 } as never)
      .sink('out', () => {}),
    code: 'MILLRACE_UNKNOWN_OPTION',
    message: /^stage "x": unknown option "capasity"; known are on, workers, maxWorkers, /,
  },
  'no source': {
    what: pipeline<number>('p')
      .stage('x', (n) => n)
      .sink('out', () => {}),
    code: 'MILLRACE_NO_SOURCE',
    message: /^pipeline "p" has no source$/,
  },
  'no stage at all': { what: pipeline('p'), code: 'MILLRACE_NO_SOURCE', message: /has no source/ },
  'an operator before the source is read from nowhere': {
    what: pipeline<number>('p')
      .map((n) => n)
      .sink('out', () => {}),
    code: 'MILLRACE_NO_SOURCE',
    message: /has no source/,
  },
  'a second source': {
    what: begun()
      .source('again', source)
      .sink('out', () => {}),
    code: 'MILLRACE_MISPLACED_STAGE',
    message: /source "again" must be its first stage/,
  },
  'a stage after the sink': {
    what: (begun().sink('out', () => {}) as unknown as Pipeline<never, unknown>).stage('late', (n) => n),
    code: 'MILLRACE_MISPLACED_STAGE',
    message: /sink "out" must be its last stage/,
  },
  'an operator after the sink': {
    what: (begun().sink('out', () => {}) as unknown as Pipeline<never, unknown>).map((n) => n),
    code: 'MILLRACE_MISPLACED_STAGE',
    message: /map cannot follow sink "out"/,
  },
  'a stage that is no function': {
    what: begun()
      .stage('x', 42 as never)
      .sink('out', () => {}),
    code: 'MILLRACE_INVALID_STAGE',
    message: /^stage "x" must be a function, or an object with a process function, got 42$/,
  },
  'a stage object with a wrong part': {
    what: begun()
      .stage('x', { process: (n: number) => n, close: 'later' } as never)
      .sink('out', () => {}),
    code: 'MILLRACE_INVALID_STAGE',
    message: /^stage "x": close must be a function, got 'later'$/,
  },
  'a stage without a name': {
    what: begun()
      .stage('', (n) => n)
      .sink('out', () => {}),
    code: 'MILLRACE_INVALID_STAGE',
    message: /the name of stage 2 must be a string/,
  },
  'a source that gives nothing to read': {
    what: pipeline('p')
      .source('in', 42 as never, { on: 'loop' })
      .sink('out', () => {}),
    code: 'MILLRACE_INVALID_STAGE',
    message: /^source "in" must be an iterable/,
  },
  'a thread without a module': {
    what: begun()
      .stage('x', (n) => n)
      .sink('out', () => {}),
    code: 'MILLRACE_NO_MODULE',
    message: /stage "x" runs in a thread/,
  },
  'a file that is not there': {
    what: broken('none.mjs'),
    code: 'MILLRACE_MODULE_NOT_FOUND',
    message: /^there is no file .*none\.mjs$/,
  },
  'a syntax error': {
    what: broken('syntax.mjs'),
    code: 'MILLRACE_MODULE_FAILED',
    message: /syntax\.mjs could not be loaded/,
  },
  'an import that is not there': {
    what: broken('missing-import.mjs'),
    code: 'MILLRACE_MODULE_FAILED',
    message: /missing-import\.mjs could not be loaded: .*nope\.mjs/,
  },
  'an error at import': {
    what: broken('throws.mjs'),
    code: 'MILLRACE_MODULE_FAILED',
    message: /Error: at import/,
  },
  'no default export': {
    what: broken('no-default.mjs'),
    code: 'MILLRACE_NO_DEFAULT_EXPORT',
    message: /no-default\.mjs has no default export/,
  },
  'something else than a pipeline': {
    what: broken('not-a-pipeline.mjs'),
    code: 'MILLRACE_NOT_A_PIPELINE',
    message: /must export a pipeline, got 42/,
  },
  'options that cannot travel': {
    what: chain,
    options: { items: 1, callback: () => {} },
    code: 'MILLRACE_NOT_CLONEABLE',
    message: /^option "callback" cannot travel to the workers/,
  },
  'an input besides a source': {
    what: begun().sink('out', () => {}, { on: 'loop' }),
    settings: { input: [1] },
    code: 'MILLRACE_INVALID_OPTION',
    message: /input must be left out: it has a source of its own/,
  },
}

for (const [name, { what, code, message, options = {}, settings = {} }] of Object.entries(INVALID)) {
  test(`refused before any thread starts: ${name}`, async () => {
    let threads = 0
    const countThread = () => threads++
    process.on('worker', countThread)
    try {
      const run = watch(start(what as never, options as never, settings as never))
      await assert.rejects(run.join(), (error: MillraceError) => {
        assert.equal(error.code, code, error.stack)
        assert.match(error.message, message)
        assert.ok(error.advice.length > 0)
        return true
      })
      assert.equal(run.state, 'ended')
      assert.equal(threads, 0)
    } finally {
      process.off('worker', countThread)
    }
  })
}

test('a run option that does not exist or does not fit is refused at once', () => {
  assert.throws(() => start(chain, { items: 1 }, { drainMS: 5 } as never), {
    code: 'MILLRACE_UNKNOWN_OPTION',
  })
  assert.throws(() => start(chain, { items: 1 }, { drainMs: -1 }), {
    code: 'MILLRACE_INVALID_OPTION',
    message: 'run: drainMs must be a number of milliseconds, 0 or more, got -1',
  })
})

const WHERE = {
  open: { code: 'MILLRACE_OPEN_FAILED', message: 'stage "work" failed to open: Error: no open', closed: 1 },
  flush: {
    code: 'MILLRACE_FLUSH_FAILED',
    message: 'stage "work" failed to flush: Error: no flush',
    closed: 2,
  },
  close: {
    code: 'MILLRACE_CLOSE_FAILED',
    message: 'stage "work" failed to close: Error: no close',
    closed: 2,
  },
  source: {
    code: 'MILLRACE_SOURCE_FAILED',
    message: 'stage "numbers" failed to read: Error: no source',
    closed: 2,
  },
  'source-function': {
    code: 'MILLRACE_SOURCE_FAILED',
    message: 'stage "numbers" failed to read: Error: no source-function',
    closed: 2,
  },
} as const

for (const [where, { code, message, closed }] of Object.entries(WHERE)) {
  test(`an error in ${where} fails the run by its code, and every opened stage is closed`, async () => {
    const count = new SharedArrayBuffer(4)
    const report: Report = await reportOf(
      start(trouble, { where: where as keyof typeof WHERE, closed: count }),
    )
    assert.equal(report.outcome, 'failed')
    assert.deepEqual(
      report.failures.map((failure) => [failure.code, failure.message]),
      [[code, message]],
    )
    assert.equal(new Int32Array(count)[0], closed)
  })
}
