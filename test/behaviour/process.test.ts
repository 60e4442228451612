// Stages in processes of their own.
import assert from 'node:assert/strict'
import {
  type Failure,
  type MillraceError,
  PipelineError,
  pipeline,
  type Report,
  start,
} from '../../src/index.ts'
import processes, { type ProcessesOptions } from '../fixtures/pipelines/processes.ts'
import { untilGone } from '../support/alive.ts'
import { assertBalanced } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

const SLOW_START = { deadlineMs: 50_000 }

interface End {
  texts: string[]
  report: Report
  failures: readonly Failure[]
  pids: number[]
}

async function endOf(options: ProcessesOptions): Promise<End> {
  const run = watch(start(processes, options, { startMs: 40_000 }))
  const texts: string[] = []
  let report: Report
  let failures: readonly Failure[] = []
  try {
    for await (const text of run) texts.push(text as string)
    report = await run.join()
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error))
    report = error.report as Report
    failures = error.failures as Failure[]
  }
  assertBalanced(report)
  const pids = [...new Set(texts.flatMap((text) => / in (\d+)!/.exec(text)?.[1] ?? []).map(Number))]
  for (const pid of pids) await untilGone(pid, 1000)
  return { texts: texts.map((text) => text.replace(/ in \d+!/, '!')), report, failures, pids }
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `${from + at}!`)

test(
  'a stage in a process: the same as in a thread, with its operators, flush and close',
  SLOW_START,
  async () => {
    const { texts, report, pids } = await endOf({ items: 500, at5: 'many' })
    const many = Array.from({ length: 1000 }, (_, at) => `5.${at + 1}!`)
    assert.deepEqual(texts, [...numbers(1, 4), ...many, ...numbers(6, 500), 'flushed after 500!'])
    const { in: into, out, done } = report.stages[1]
    assert.deepEqual([into, done, out], [500, 500, 1500])
    assert.equal(pids.length, 1)
    assert.notEqual(pids[0], process.pid)
  },
)

test(
  'what the stage gives travels both ways: dropped, SENTINEL, failed with its error as it was',
  SLOW_START,
  async () => {
    const [dropped, ended, thrown] = await Promise.all([
      endOf({ items: 9, at5: 'drop' }),
      endOf({ items: 9, at5: 'end' }),
      endOf({ items: 9, at5: 'throw' }),
    ])
    assert.deepEqual(dropped.texts, [...numbers(1, 4), ...numbers(6, 9), 'flushed after 9!'])
    assert.equal(dropped.report.stages[1].dropped, 1)
    assert.deepEqual(ended.texts, [...numbers(1, 4), 'flushed after 5!'])
    assert.equal(ended.report.outcome, 'completed')
    const [failure] = thrown.failures
    assert.deepEqual([failure.code, failure.stage, failure.item], ['MILLRACE_STAGE_FAILED', 'work', 5])
    assert.equal(failure.error?.type, 'RangeError')
    assert.deepEqual(failure.error?.fields, { detail: { of: 5 } })
    assert.match(failure.error?.stack ?? '', /processes\.ts/)
  },
)

test('retry, and what cannot travel', SLOW_START, async () => {
  const [retried, refused] = await Promise.all([
    endOf({ items: 6, at5: 'throw once', options: { retry: { attempts: 2 } } }),
    endOf({ items: 6, at5: 'function', options: { onError: 'skip' } }),
  ])
  assert.deepEqual(retried.texts, [...numbers(1, 6), 'flushed after 7!'])
  assert.equal(retried.report.stages[1].retried, 1)
  assert.equal(refused.report.failures[0].code, 'MILLRACE_NOT_CLONEABLE')
  assert.equal(refused.report.stages[1].failed, 1)
})

test(
  'a process that ends by process.exit(0) is started again, and nothing is lost or doubled',
  SLOW_START,
  async () => {
    const { texts, report, pids } = await endOf({
      items: 40,
      at5: 'exit',
      options: { restart: { delayMs: 0 } },
    })
    assert.deepEqual(texts.slice(0, -1), numbers(1, 40))
    assert.deepEqual([report.stages[1].restarts, pids.length], [1, 2])
  },
)

test(
  'a process that hangs in an item is replaced after timeoutMs, and the item alone has failed',
  SLOW_START,
  async () => {
    const { texts, report, pids } = await endOf({
      items: 8,
      at5: 'hang',
      options: { timeoutMs: 500, onError: 'skip' },
    })
    assert.deepEqual(texts.slice(0, -1), [...numbers(1, 4), ...numbers(6, 8)])
    assert.equal(report.failures[0].code, 'MILLRACE_ITEM_TIMEOUT')
    assert.equal(pids.length, 2)
  },
)

test('the death of a process tells how, and shows its last words', SLOW_START, async () => {
  const [memory, thrown] = await Promise.all([
    endOf({
      items: 40,
      at5: 'memory',
      options: { restart: false, resourceLimits: { maxOldGenerationSizeMb: 64 } },
    }),
    endOf({ items: 40, at5: 'uncaught', options: { restart: false } }),
  ])
  assert.equal(memory.failures[0].code, 'MILLRACE_WORKER_OUT_OF_MEMORY')
  assert.match(
    memory.failures[0].message,
    /^stage "work" died at item 5: its process was ended by SIGABRT: JavaScript heap/,
  )
  assert.equal(thrown.failures[0].code, 'MILLRACE_WORKER_DIED')
  assert.match(
    thrown.failures[0].error?.message ?? '',
    /^its process exited with status 1; its .*words on stderr:(?:.|\n)*Error: nobody heard it/,
  )
})

test('options of processes are for processes, and a process does not do what it cannot', async () => {
  const refused = async (options: object, message: RegExp) => {
    const blueprint = pipeline('p')
      .source('s', [1])
      .sink('work', () => {}, options)
    await assert.rejects(start(blueprint).join(), (error: MillraceError) => message.test(error.message))
  }
  await refused({ nice: 5 }, /^stage "work": nice can only be set with on: "process"/)
  await refused({ on: 'process', nice: 99 }, /^stage "work": nice must be an integer from -20 to 19, got 99/)
  await refused(
    { on: 'process', resourceLimits: { stackSizeMb: 4 } },
    /resourceLimits.stackSizeMb cannot be set with on: "process"/,
  )
  await refused({ on: 'process' }, /stage "s" runs in a thread, and a thread must import/)
})
