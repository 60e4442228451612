// `ctx.log` of every host, in the logger of the run.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { pino } from 'pino'
import {
  type Blueprint,
  type HostName,
  type MillraceError,
  PipelineError,
  pipeline,
  type RunLogger,
  start,
} from '../../src/index.ts'
import { python } from '../../src/python.ts'
import logging, { type LoggingOptions } from '../fixtures/pipelines/logging.ts'
import { runFile } from '../support/child.ts'
import { test, watch } from '../support/harness.ts'
import { nameHere } from '../support/places.ts'

const SLOW_START = { deadlineMs: 50_000 }
const MAIN = new URL(nameHere('../fixtures/logs-and-ends.ts'), import.meta.url)
const hasPython = spawnSync('python3', ['--version']).status === 0

interface Line {
  level: string
  msg?: string
  stage: string
  worker: number
  item?: number
  err?: { type: string; message: string; code?: string; stack: string }
  [field: string]: unknown
}

/** The real pino, and the lines that it wrote. */
function makePino(level = 'debug'): { logger: RunLogger; lines: Line[] } {
  const lines: Line[] = []
  const options = { level, base: null, formatters: { level: (label: string) => ({ level: label }) } }
  const logger = pino(options, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { logger, lines }
}

async function linesOf(options: LoggingOptions, level?: string): Promise<Line[]> {
  const { logger, lines } = makePino(level)
  const run = watch(start(logging, options, { logger, startMs: 40_000 }))
  await run.join().catch((error) => {
    if (!(error instanceof PipelineError)) throw error
  })
  // Nothing comes later: the run has ended.
  return lines
}

const HOSTS: [HostName, HostName][] = [
  ['loop', 'thread'],
  ['thread', 'process'],
  ['process', 'thread'],
]

for (const [first, second] of HOSTS) {
  test(
    `lines from the ${first} and then the ${second} reach pino whole, in order, with their place`,
    SLOW_START,
    async () => {
      const lines = await linesOf({ items: 60, first, second })
      const of = (stage: string) => lines.filter((line) => line.stage === stage)
      assert.deepEqual(
        of('first').map(({ msg, level, item, number, worker }) => [msg, level, item, number, worker]),
        Array.from({ length: 60 }, (_, at) => [`number ${at + 1}, try 1`, 'info', at + 1, at + 1, 0]),
      )
      assert.deepEqual(
        of('second').map(({ msg }) => msg),
        ['opened', ...Array.from({ length: 60 }, (_, at) => `got ${at + 1}`), 'closed'],
      )
      // Who was sent something logs after whoever sent it.
      for (const line of of('second').filter(({ item }) => item !== undefined)) {
        const before = lines.findIndex(({ stage, item }) => stage === 'first' && item === line.item)
        assert.ok(before >= 0 && before < lines.indexOf(line), `item ${line.item}`)
      }
    },
  )
}

test('a worker that dies right after it has logged loses no line', SLOW_START, async () => {
  const options = { items: 6, second: 'thread' } as const
  const all = await Promise.all([
    linesOf({ ...options, first: 'thread', at5: 'exit' }),
    linesOf({ ...options, first: 'process', at5: 'kill' }),
  ])
  for (const lines of all) {
    const told = lines.filter(({ stage }) => stage === 'first').map(({ msg }) => msg)
    const before = [1, 2, 3, 4, 5].map((number) => `number ${number}, try 1`)
    // What it had answered and not seen published is answered again: at least nothing is missing.
    assert.deepEqual(told.slice(0, 5), before)
    assert.equal(told.at(-1), 'number 6, try 1')
    assert.ok(told.includes('number 5, try 2'))
  }
})

test('the lines before a failure that ends the run at once are there', SLOW_START, async () => {
  const lines = await linesOf({ items: 1000, first: 'process', second: 'loop', at5: 'throw' })
  const told = lines.filter(({ stage }) => stage === 'first').map(({ item }) => item)
  assert.deepEqual(told.slice(0, 5), [1, 2, 3, 4, 5])
})

test('fields, errors, texts with values; what cannot travel is told as text', SLOW_START, async () => {
  for (const first of ['loop', 'process'] as const) {
    const lines = (await linesOf({ items: 1, first, second: 'loop', at1: 'forms' })).filter(
      ({ stage }) => stage === 'first',
    )
    const [, text, fields, error, alone, mixed, list] = lines
    assert.equal(text.msg, 'text 1 { a: 2 }')
    assert.deepEqual([fields.msg, fields.size, fields.level], [undefined, 7, 'warn'])
    assert.deepEqual(
      [error.msg, error.err?.type, error.err?.message, error.err?.code],
      ['it failed', 'RangeError', 'too far', 'E_FAR'],
    )
    assert.match(error.err?.stack ?? '', /logging\.ts/)
    assert.deepEqual([alone.msg, alone.err?.message], ['alone', 'alone'])
    assert.deepEqual([mixed.msg, mixed.can], ['fields', 'travel'])
    if (first !== 'loop') assert.deepEqual([mixed.cannot, mixed.worse], ['[Function: cannot]', 'Symbol(s)'])
    assert.equal(list.msg, '[ 1, 2 ] a list')
  }
})

test('what the logger does not want does not leave the worker', async () => {
  const lines = await linesOf({ items: 2, first: 'loop', second: 'thread' }, 'warn')
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['got 1', 'got 2'],
  )
})

test('more lines than may be under way at a time, of a worker that nothing slows down', async () => {
  const lines = await linesOf({ items: 1200, first: 'thread', second: 'loop' })
  assert.equal(lines.length, 2402)
})

test('a function in Python logs what it prints', {
  skip: hasPython ? false : 'there is no python3',
}, async () => {
  const { logger, lines } = makePino()
  const LOOP = { on: 'loop' } as const
  const file = new URL('../fixtures/says.py', import.meta.url)
  const blueprint = pipeline('says')
    .source('numbers', () => [1, 2, 3], LOOP)
    .stage('say', python<number, number>({ file, stderr: 'log' }), LOOP)
    .sink('end', () => {}, LOOP)
  await watch(start(blueprint as Blueprint<never, never>, {}, { logger })).join()
  assert.deepEqual(
    lines.map(({ stage, msg }) => [stage, msg]),
    [1, 2, 3].map((number) => ['say', `it is ${number}`]),
  )
})

test('a program that exits while workers log gets every line that they have told', SLOW_START, async () => {
  const { code, stdout, stderr } = await runFile(MAIN, ['exits'])
  assert.equal(code, 3, stderr)
  const numbers = [...stdout.matchAll(/number (\d+), try 1/g)].map((match) => Number(match[1]))
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => at + 1),
  )
  const got = [...stdout.matchAll(/got (\d+)/g)].map((match) => Number(match[1]))
  assert.ok(numbers.length >= Math.max(0, ...got))
})

test(
  'a logger that throws costs lines and nothing else, whatever the host, and is told once',
  SLOW_START,
  async () => {
    const hosts: HostName[] = ['loop', 'thread', 'process']
    for (const { code, stdout, stderr } of await Promise.all(
      hosts.map((host) => runFile(MAIN, ['throws', host])),
    )) {
      assert.deepEqual([code, stdout], [0, 'completed 3\n'], stderr)
      assert.match(
        stderr,
        /MillraceWarning: pipeline "\w+": the logger of the run failed.*\nError: full\n +at /,
      )
      assert.equal(stderr.match(/the logger of the run failed/g)?.length, 1)
    }
  },
)

test('what is no logger is refused before anything starts', () => {
  assert.throws(
    () => start(logging, { items: 1, first: 'loop', second: 'loop' }, { logger: { info() {} } as never }),
    (error: MillraceError) =>
      /^run: logger must be an object with the functions debug, info, warn and error, got /.test(
        error.message,
      ),
  )
})
