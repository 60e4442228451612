// What runs tell in the channels of node:diagnostics_channel.
import assert from 'node:assert/strict'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ChannelMessages, type ChannelName, PipelineError, pipeline, start } from '../../src/index.ts'
import { publish } from '../../src/run/run-channels.ts'
import logging from '../fixtures/pipelines/logging.ts'
import { test, watch } from '../support/harness.ts'

const LOOP = { on: 'loop' } as const
const NAMES: ChannelName[] = [
  'millrace:run:start',
  'millrace:run:stop',
  'millrace:run:failure',
  'millrace:run:overdue',
  'millrace:run:end',
  'millrace:worker:start',
  'millrace:worker:end',
  'millrace:worker:restart',
  'millrace:worker:stuck',
  'millrace:item:failure',
  'millrace:item:dead-letter',
]

/** Everything that is told while the action runs, in order. */
async function toldBy(action: () => Promise<unknown>) {
  const told: { name: ChannelName; message: Record<string, unknown> }[] = []
  const listeners = NAMES.map((name) => {
    const listener = (message: unknown): void => {
      told.push({ name, message: message as Record<string, unknown> })
    }
    subscribe(name, listener)
    return () => unsubscribe(name, listener)
  })
  try {
    await action()
  } finally {
    for (const forget of listeners) forget()
  }
  return {
    names: told.map(({ name }) => name.slice('millrace:'.length)),
    of: <Name extends ChannelName>(name: Name) =>
      told
        .filter((one) => one.name === name)
        .map(({ message }) => message as unknown as ChannelMessages[Name]),
  }
}

test('a run, its workers, a restart: each is told once, with where it happened', async () => {
  const run = watch(
    start(logging, { items: 6, first: 'thread', second: 'loop', at5: 'exit' }, { logger: silent }),
  )
  const { names, of } = await toldBy(() => run.join())
  assert.deepEqual(
    of('millrace:worker:start').map(({ stage, worker, life, host }) => [stage, worker, life, host]),
    [
      ['numbers', 0, 1, 'loop'],
      ['first', 0, 1, 'thread'],
      ['second', 0, 1, 'loop'],
      ['first', 0, 2, 'thread'],
    ],
  )
  const ends = of('millrace:worker:end').map(({ stage, life, how }) => `${stage} ${life} ${how}`)
  assert.deepEqual(ends.toSorted(), ['first 1 died', 'first 2 done', 'numbers 1 done', 'second 1 done'])
  const [restart] = of('millrace:worker:restart')
  assert.deepEqual([restart.stage, restart.item, restart.death.code], ['first', 5, 'MILLRACE_WORKER_DIED'])
  assert.ok(names.indexOf('worker:end') < names.indexOf('worker:restart'))
  const [end] = of('millrace:run:end')
  assert.equal(names.at(-1), 'run:end')
  assert.equal(end.run, run)
  assert.deepEqual([end.report?.outcome, end.error], ['completed', undefined])
})

test('items that fail, dead letters, what ends a run, and that it is stopped', async () => {
  const numbers = pipeline('numbers')
    .source('numbers', [1, 2, 3], LOOP)
    .stage('odd', throwAt(1), { ...LOOP, onError: 'skip' })
    .stage('even', throwAt(2), { ...LOOP, onError: 'dead-letter' })
    .sink('end', throwAt(3), LOOP)
    .deadLetters('letters', () => {}, LOOP)
  const { names, of } = await toldBy(async () => {
    const run = watch(start(numbers))
    await assert.rejects(run.join(), PipelineError)
  })
  assert.equal(names[0], 'run:start')
  const items = (name: 'millrace:item:failure' | 'millrace:item:dead-letter') =>
    of(name).map(({ failure }) => `${failure.stage} ${failure.item}`)
  assert.deepEqual(items('millrace:item:failure'), ['odd 1', 'even 2'])
  assert.deepEqual(items('millrace:item:dead-letter'), ['even 2'])
  assert.deepEqual(
    of('millrace:run:failure').map(({ failure }) => failure.stage),
    ['end'],
  )
  assert.deepEqual(
    of('millrace:run:stop').map(({ level }) => level),
    ['abort'],
  )
  const [{ report, error }] = of('millrace:run:end')
  assert.equal(report?.outcome, 'failed')
  assert.ok(error instanceof PipelineError)
})

test('a drain and its reason; a run that cannot be loaded ends too', async () => {
  const { of } = await toldBy(async () => {
    const run = watch(
      start(
        pipeline('p')
          .source('s', [1], LOOP)
          .sink('end', () => {}, LOOP),
      ),
    )
    run.drain('enough')
    await run.join()
    await assert.rejects(start(new URL('./there-is-none.mjs', import.meta.url)).join())
  })
  assert.deepEqual(
    of('millrace:run:stop').map(({ level, reason }) => [level, reason]),
    [['drain', 'enough']],
  )
  assert.deepEqual(
    of('millrace:run:end').map(({ report, error }) => [report?.outcome, (error as { code?: string })?.code]),
    [
      ['drained', undefined],
      [undefined, 'MILLRACE_MODULE_NOT_FOUND'],
    ],
  )
})

test('where nobody listens no message is made', () => {
  assert.equal(channel('millrace:worker:end').hasSubscribers, false)
  const message = (): never => assert.fail('it was made')
  assert.equal(publish('millrace:worker:end', message), undefined)
})

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function throwAt(number: number): (item: number) => number {
  return (item) => {
    if (item === number) throw new Error(`no ${number}`)
    return item
  }
}
