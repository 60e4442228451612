// What a plan says of a stage: what was said, and the defaults of what was not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipeline } from '../../src/define/pipeline.ts'
import type { StageOptions } from '../../src/define/stage-options.ts'
import { begun, ignore, planOf, same, stageOf, withOptions } from '../support/plans.ts'

test('what is not said has its default', () => {
  const plan = planOf(withOptions({}))
  assert.deepEqual(stageOf(plan, 'x'), {
    name: 'x',
    kind: 'stage',
    host: 'thread',
    workers: 1,
    maxWorkers: 1,
    order: 'input',
    numbering: 'own',
    operators: [],
    concurrency: 1,
    isPartitioned: false,
    onError: 'stop',
    restart: { limit: 5, withinMs: 60_000, delayMs: 100, factor: 2, maxDelayMs: 5_000 },
    poisonAfter: 3,
    stuckAfterMs: 60_000,
    nativeThreads: 0,
    slabBytes: 2 ** 28,
  })
  assert.deepEqual(plan.run, {
    drainMs: 30_000,
    abortMs: 2_000,
    terminateMs: 1_000,
    startMs: 60_000,
    signals: false,
  })
  assert.deepEqual(plan.notes, [])
})

test('what is said is in the plan, with the defaults of fields, and the plan can be cloned', () => {
  const options: StageOptions<number> = {
    workers: 2,
    maxWorkers: 3,
    order: 'completion',
    concurrency: 5,
    rateLimit: { items: 10, perMs: 1000 },
    onError: 'skip',
    maxFailures: { count: 3, withinMs: 100 },
    retry: { attempts: 4, jitter: 0.5, if: () => true },
    timeoutMs: 250,
    restart: { limit: 1 },
    poisonAfter: 2,
    stuckAfterMs: 9,
    nativeThreads: 1,
    slabBytes: 4096,
    resourceLimits: { stackSizeMb: 4 },
  }
  const plan = planOf(withOptions(options), { run: { maxInFlight: 7, deadLetters: 'file' } })
  const { name, kind, host, numbering, operators, isPartitioned, ...said } = stageOf(plan, 'x')
  assert.deepEqual(
    [name, kind, host, numbering, operators, isPartitioned],
    ['x', 'stage', 'thread', 'inherit', [], false],
  )
  assert.deepEqual(said, {
    ...options,
    retry: { attempts: 4, delayMs: 0, factor: 2, jitter: 0.5, maxDelayMs: 30_000 },
    restart: { limit: 1, withinMs: 60_000, delayMs: 100, factor: 2, maxDelayMs: 5_000 },
  })
  assert.deepEqual([plan.run.maxInFlight, plan.run.deadLetters], [7, 'file'])
  assert.deepEqual(structuredClone(plan), plan)
})

test('maxFailures may be a number', () => {
  assert.equal(stageOf(planOf(withOptions({ maxFailures: 0 })), 'x').maxFailures, 0)
})

test('workers are restarted, but for those of sources and on the loop, unless it is asked for', () => {
  const restartOf = (restart?: false | object, on: 'thread' | 'loop' = 'thread') => {
    const given = restart === undefined ? { on } : { restart, on }
    const plan = planOf(
      pipeline('p')
        .source('in', () => [1], given)
        .stage('x', same, given)
        .sink('out', ignore, given),
    )
    return plan.stages.map((stage) => stage.restart !== false)
  }
  assert.deepEqual(restartOf(), [false, true, true])
  assert.deepEqual(restartOf(undefined, 'loop'), [false, false, false])
  assert.deepEqual(restartOf(false), [false, false, false])
  assert.deepEqual(restartOf({}), [true, true, true])
})

test('sources are numbered; a checkpoint has its interval', () => {
  const plan = planOf(
    begun()
      .merge(pipeline('q').source('late', () => [3], { checkpoint: 'at.json' }))
      .sink('out', ignore),
  )
  const sources = plan.stages.map(({ sourceIndex, checkpoint, checkpointMs }) => [
    sourceIndex,
    checkpoint,
    checkpointMs,
  ])
  assert.deepEqual(sources, [
    [0, undefined, undefined],
    [1, 'at.json', 1000],
    [undefined, undefined, undefined],
  ])
})

test('a timeout on the loop comes with a note unless the function is async', () => {
  const notesOf = (body: (n: number) => unknown) =>
    planOf(begun().stage('x', body, { on: 'loop', timeoutMs: 5 }).sink('out', ignore)).notes
  assert.deepEqual(notesOf(same), ['stage "x": on the loop, timeoutMs ends only what is awaited'])
  assert.deepEqual(
    notesOf(async (n) => n),
    [],
  )
  assert.deepEqual(
    notesOf(async function* (n) {
      yield n
    }),
    [],
  )
})
