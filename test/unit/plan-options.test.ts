// Every option is checked when the pipeline is planned; what is wrong is said with stage, option and value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BatchOptions } from '../../src/define/batch-options.ts'
import type { OptionTable } from '../../src/define/option-table.ts'
import { pipeline } from '../../src/define/pipeline.ts'
import { type RunOptions, STAGE_OPTIONS, type StageOptions } from '../../src/define/stage-options.ts'
import { begun, ignore, planOf, refuses, same, withOptions } from '../support/plans.ts'

/** Option, or `option.field` -> values, and what each must be. */
const REFUSED: [option: string, expected: string, values: unknown[]][] = [
  ['on', '"thread", "loop" or "process"', ['worker', null]],
  ['nice', 'an integer from -20 to 19', [-21, 20, 1.5]],
  ['env', 'an object of strings', [5, null]],
  ['cwd', 'the path of a directory', ['', 5]],
  ['execArgv', 'an array of strings', ['--inspect', null]],
  ['workers', 'an integer from 1 to 256, or "auto"', [0, -1, 1.5, 257, '4', 'all', null, Number.NaN]],
  ['maxWorkers', 'an integer from 1 to 256', [0, 257, 'auto']],
  ['order', '"input" or "completion"', ['any', true]],
  ['by', 'a function', ['id', {}]],
  ['concurrency', 'an integer from 1 to 4,096', [0, 4097, 1.5]],
  ['capacity', 'an integer from 1 to 1,048,576', [0, 2 ** 20 + 1, '8']],
  ['capacityBytes', 'an integer from 64 to 2,146,435,072', [63, 2 ** 31]],
  ['slabBytes', 'an integer from 0 to 2,146,435,072', [-1, 2 ** 31, '1 MiB']],
  ['overflow', '"block", "drop-new" or "drop-old"', ['drop', false]],
  ['rateLimit', 'an object { items, perMs }', [10, null]],
  ['rateLimit.items', 'an integer from 1 to 1,000,000,000', [0, undefined, '1']],
  [
    'rateLimit.perMs',
    'a number of milliseconds, more than 0 and finite',
    [0, undefined, Number.POSITIVE_INFINITY],
  ],
  ['onError', '"stop", "skip" or "dead-letter"', ['ignore', null]],
  ['maxFailures', 'an integer from 0 to 1,000,000, or an object { count, withinMs }', [-1, 1.5, 'few']],
  ['maxFailures.count', 'an integer from 0 to 1,000,000', [-1, undefined]],
  ['maxFailures.withinMs', 'a number of milliseconds, more than 0', [0, undefined]],
  ['retry', 'an object { attempts, delayMs, factor, jitter, maxDelayMs, if }', [3, true, null]],
  ['retry.attempts', 'an integer from 1 to 1,000,000', [0, undefined, 2.5]],
  ['retry.delayMs', 'a number of milliseconds, 0 or more', [-1, Number.NaN]],
  ['retry.factor', 'a number from 1 to 100', [0.5, 101]],
  ['retry.jitter', 'a number from 0 to 1', [-0.1, 1.1]],
  ['retry.maxDelayMs', 'a number of milliseconds, 0 or more', [-1]],
  ['retry.if', 'a function', [true]],
  ['timeoutMs', 'a number of milliseconds, more than 0', [0, -1, '1s']],
  ['restart', 'false or an object { limit, withinMs, delayMs, factor, maxDelayMs }', [true, 5, null]],
  ['restart.limit', 'an integer, 0 or more, or Infinity', [-1, 1.5]],
  ['restart.withinMs', 'a number of milliseconds, more than 0', [0]],
  ['restart.delayMs', 'a number of milliseconds, 0 or more', [-1]],
  ['restart.factor', 'a number from 1 to 100', [0]],
  ['restart.maxDelayMs', 'a number of milliseconds, 0 or more', ['5s']],
  ['poisonAfter', 'an integer from 1 to 1,000', [0, 1001]],
  ['stuckAfterMs', 'a number of milliseconds, more than 0', [0]],
  ['nativeThreads', 'an integer from 0 to 1,024', [-1, 1025]],
  ['resourceLimits', "an object of numbers, as Node's Worker takes it", [5, { stackSizeMb: '4' }]],
]

/** What makes the other fields of an option complete. */
const COMPLETE: Record<string, object> = {
  rateLimit: { items: 1, perMs: 1 },
  maxFailures: { count: 1, withinMs: 1 },
  retry: { attempts: 2 },
  restart: {},
}

const shown = (value: unknown): string => {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'object' && value !== null && 'stackSizeMb' in value
    ? "{ stackSizeMb: '4' }"
    : typeof value === 'object' && value !== null
      ? '{}'
      : String(value)
}

for (const [path, expected, values] of REFUSED) {
  test(`${path} must be ${expected}`, () => {
    for (const value of values) {
      const [option, field] = path.split('.')
      const given = { [option]: field === undefined ? value : { ...COMPLETE[option], [field]: value } }
      const message = `stage "x": ${path} must be ${expected}, got ${shown(value)}`
      const error = refuses(withOptions(given as StageOptions<number>), 'MILLRACE_INVALID_OPTION', message)
      assert.deepEqual([error.stage, error.option], ['x', path])
    }
  })
}

test('every option of the table is checked here, and every field', () => {
  const paths = Object.entries(STAGE_OPTIONS as OptionTable).flatMap(([option, { fields = {} }]) => [
    option,
    ...Object.keys(fields).map((field) => `${option}.${field}`),
  ])
  const own = paths.filter((path) => !path.startsWith('checkpoint'))
  assert.deepEqual(REFUSED.map(([path]) => path).toSorted(), own.toSorted())
})

test('an option, or a field, that does not exist is refused, and the known ones are named', () => {
  const code = 'MILLRACE_UNKNOWN_OPTION'
  const inside = withOptions({ retry: { attempts: 2, attemps: 3 } as never })
  const error = refuses(
    inside,
    code,
    'stage "x": unknown option "retry.attemps"; known are attempts, delayMs, factor, jitter, maxDelayMs, if',
  )
  assert.deepEqual([error.stage, error.option], ['x', 'retry.attemps'])
  const known = Object.keys(STAGE_OPTIONS).filter((option) => !option.startsWith('checkpoint'))
  refuses(
    withOptions({ capasity: 8 } as never),
    code,
    `stage "x": unknown option "capasity"; known are ${known.join(', ')}`,
  )
  const source = pipeline('p')
    .source('in', () => [1], { capasity: 8 } as never)
    .sink('out', ignore)
  refuses(
    source,
    code,
    'stage "in": unknown option "capasity"; known are on, restart, stuckAfterMs, resourceLimits, nice, env, cwd, execArgv, slabBytes, checkpoint, checkpointMs',
  )
})

test('options that are no object are refused', () => {
  for (const options of [null, 5, [] as unknown]) {
    const shownOptions = Array.isArray(options) ? '[]' : String(options)
    const message = `stage "x": options must be an object, got ${shownOptions}`
    refuses(withOptions(options as never), 'MILLRACE_INVALID_OPTION', message)
  }
})

const NOT_FOR_SOURCES: [option: string, value: unknown, why: string][] = [
  ['workers', 2, 'a source has one worker'],
  ['maxWorkers', 2, 'a source has one worker'],
  ['order', 'input', 'a source has one worker'],
  ['by', same, 'a source has no queue before it'],
  ['capacity', 8, 'a source has no queue before it'],
  ['capacityBytes', 64, 'a source has no queue before it'],
  ['overflow', 'block', 'a source has no queue before it'],
  ['concurrency', 1, 'a source takes no items'],
  ['rateLimit', { items: 1, perMs: 1 }, 'a source takes no items; set it on the stage after it'],
  ['onError', 'skip', 'a source takes no items'],
  ['maxFailures', 1, 'a source takes no items'],
  ['retry', { attempts: 1 }, 'a source takes no items'],
  ['timeoutMs', 1, 'a source takes no items'],
  ['poisonAfter', 1, 'a source takes no items'],
  ['nativeThreads', 1, 'it is for stages and sinks'],
]

test('a source has no options that have to do with taking items', () => {
  for (const [option, value, why] of NOT_FOR_SOURCES) {
    const source = pipeline('p')
      .source('in', () => [1], { [option]: value })
      .sink('out', ignore)
    const message = `stage "in": ${option} cannot be set on a source: ${why}`
    const error = refuses(source, 'MILLRACE_INVALID_OPTION', message)
    assert.deepEqual([error.stage, error.option], ['in', option])
  }
})

test('a checkpoint is a source’s alone', () => {
  for (const [option, value] of Object.entries({ checkpoint: 'file', checkpointMs: 5 })) {
    const message = `stage "x": ${option} cannot be set on a stage: only a source has one`
    refuses(withOptions({ [option]: value } as never), 'MILLRACE_INVALID_OPTION', message)
    const sink = begun().sink('out', ignore, { [option]: value } as never)
    const onSink = `stage "out": ${option} cannot be set on a sink: only a source has one`
    refuses(sink, 'MILLRACE_INVALID_OPTION', onSink)
  }
  const bad = pipeline('p')
    .source('in', () => [1], { checkpoint: '' })
    .sink('out', ignore)
  refuses(bad, 'MILLRACE_INVALID_OPTION', `stage "in": checkpoint must be the path of a file, got ''`)
  const never = pipeline('p')
    .source('in', () => [1], { checkpointMs: -1 })
    .sink('out', ignore)
  const message = 'stage "in": checkpointMs must be a number of milliseconds, 0 or more, got -1'
  refuses(never, 'MILLRACE_INVALID_OPTION', message)
})

test('an option that is undefined is not given', () => {
  const undefineds = Object.fromEntries(Object.keys(STAGE_OPTIONS).map((option) => [option, undefined]))
  const plain = planOf(withOptions({}))
  assert.deepEqual(planOf(withOptions({ ...undefineds, capasity: undefined } as never)), plain)
})

const TOGETHER: [what: string, options: StageOptions<number>, message: string][] = [
  [
    'fewer than it begins with',
    { workers: 4, maxWorkers: 2 },
    'maxWorkers must be at least workers (4), got 2',
  ],
  ['several workers on the loop', { on: 'loop', workers: 2 }, 'workers must be 1 on the loop, got 2'],
  [
    'as many workers as there are cores on the loop',
    { on: 'loop', workers: 'auto' },
    `workers must be 1 on the loop, got 'auto'`,
  ],
  [
    'room for several workers on the loop',
    { on: 'loop', maxWorkers: 2 },
    'maxWorkers must be 1 on the loop, got 2',
  ],
  [
    'partitions that move',
    { by: same, workers: 2, maxWorkers: 3 },
    'maxWorkers must be equal to workers (2) with by, got 3',
  ],
  [
    'partitions that may move',
    { by: same, workers: 'auto', maxWorkers: 3 },
    'maxWorkers must be equal to workers (auto) with by, got 3',
  ],
  [
    'drop-old where several are in hand',
    { overflow: 'drop-old', concurrency: 2 },
    'overflow "drop-old" cannot be set on a stage with concurrency',
  ],
  [
    'drop-old and partitions',
    { overflow: 'drop-old', by: same },
    'overflow "drop-old" cannot be set on a stage with by',
  ],
]

for (const [what, options, message] of TOGETHER) {
  test(`refused: ${what}`, () => {
    const error = refuses(withOptions(options), 'MILLRACE_INVALID_OPTION', `stage "x": ${message}`)
    assert.equal(error.stage, 'x')
  })
}

test('fine together: overflow "drop-new" with by, maxWorkers equal to workers with by', () => {
  planOf(withOptions({ overflow: 'drop-new', by: same, workers: 2, maxWorkers: 2 }))
})

const BATCHES: [batch: unknown, message: string][] = [
  [{}, 'batch needs a size, bytes or withinMs'],
  [{ by: same }, 'batch needs a size, bytes or withinMs'],
  [undefined, 'batch needs a size, bytes or withinMs'],
  [7, 'batch must be an object, got 7'],
  [{ size: 0 }, 'batch.size must be an integer from 1 to 524,288, got 0'],
  [{ bytes: 0 }, 'batch.bytes must be an integer from 1 to 1,073,217,536, got 0'],
  [{ withinMs: -1 }, 'batch.withinMs must be a number of milliseconds, 0 or more, got -1'],
  [{ size: 1, by: 'id' }, `batch.by must be a function, got 'id'`],
]

test('a batch is checked, with the name of the stage that takes it', () => {
  for (const [batch, message] of BATCHES) {
    const taken = begun()
      .batch(batch as BatchOptions<number>)
      .sink('out', ignore)
    refuses(taken, 'MILLRACE_INVALID_OPTION', `stage "out": ${message}`)
  }
  const unknown = begun()
    .batch({ sise: 4 } as never)
    .sink('out', ignore)
  const message = 'stage "out": unknown option "batch.sise"; known are size, bytes, withinMs, by'
  refuses(unknown, 'MILLRACE_UNKNOWN_OPTION', message)
})

test('a stage that takes batches has neither by nor drop-old', () => {
  const code = 'MILLRACE_INVALID_OPTION'
  const keyed = begun()
    .batch({ size: 2 })
    .stage('x', same as never, { by: () => 1 })
    .sink('out', ignore)
  const message =
    'stage "x": by cannot be set on a stage that takes batches; give the batch a key: .batch({ by })'
  refuses(keyed, code, message)
  const dropping = begun().batch({ size: 2 }).sink('out', ignore, { overflow: 'drop-old' })
  refuses(dropping, code, 'stage "out": overflow "drop-old" cannot be set on a stage that takes batches')
})

test('run options are checked', () => {
  const cases: [RunOptions, string][] = [
    [{ maxInFlight: 0 }, 'maxInFlight must be an integer, 1 or more, got 0'],
    [{ deadLetters: '' }, `deadLetters must be the path of a file, got ''`],
    [{ drainMs: -1 }, 'drainMs must be a number of milliseconds, 0 or more, got -1'],
    [{ signals: 1 as never }, 'signals must be true or false, got 1'],
  ]
  for (const [run, message] of cases)
    refuses(withOptions({}), 'MILLRACE_INVALID_OPTION', `run: ${message}`, { run })
})

test('with maxInFlight, a batch that could wait for ever is refused', () => {
  const batched = (batch: BatchOptions) => begun().batch(batch).sink('out', ignore)
  const run = { maxInFlight: 10 }
  const message =
    'stage "out": with maxInFlight a batch needs withinMs: it could wait for items that may not begin before it is done'
  for (const batch of [{ size: 5 }, { bytes: 100 }, { size: 5, withinMs: Number.POSITIVE_INFINITY }]) {
    refuses(batched(batch), 'MILLRACE_INVALID_OPTION', message, { run })
    planOf(batched(batch))
  }
  planOf(batched({ size: 100, withinMs: 50 }), { run })
  planOf(batched({ size: 1 }), { run })
})

test('two sources cannot keep one checkpoint', () => {
  const two = (one: string, other: string) =>
    pipeline('p')
      .source('a', () => [1], { checkpoint: one })
      .merge(pipeline('p').source('b', () => [2], { checkpoint: other }))
      .sink('out', ignore)
  const message = `stage "b": checkpoint './x/../at' is that of source "a", too`
  refuses(two('at', './x/../at'), 'MILLRACE_INVALID_OPTION', message)
  planOf(two('at-a', 'at-b'))
})

test('a body may have defaults for its stage; what the stage is given goes before them', () => {
  const body = { defaults: { concurrency: 8, nativeThreads: 3 }, process: (item: unknown) => item }
  const { stages } = planOf(
    begun().stage('one', body).stage('other', body, { concurrency: 2 }).sink('end', ignore),
  )
  const chosen = stages.map(({ concurrency, nativeThreads }) => [concurrency, nativeThreads])
  assert.deepEqual(chosen.slice(1, 3), [
    [8, 3],
    [2, 3],
  ])
})

test('a body that takes its items one after the other has one worker, and one item in hand', () => {
  const body = { isSequential: true as const, process: (item: unknown) => item }
  const refused = [
    [{ workers: 2 }, 'workers', '2'],
    [{ workers: 'auto' }, 'workers', "'auto'"],
    [{ maxWorkers: 3 }, 'maxWorkers', '3'],
    [{ concurrency: 4 }, 'concurrency', '4'],
  ] as const
  for (const [options, option, value] of refused) {
    const message = `stage "end": ${option} must be 1 on a stage that takes its items one after the other, got ${value}`
    refuses(begun().sink('end', body, options), 'MILLRACE_INVALID_OPTION', message)
  }
  planOf(begun().sink('end', body, { workers: 1, maxWorkers: 1, concurrency: 1 }))
})
