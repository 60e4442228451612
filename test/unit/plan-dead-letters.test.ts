// Where items go that failed for good.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Blueprint, pipeline } from '../../src/define/pipeline.ts'
import { closeEnds } from '../../src/plan/close-ends.ts'
import { begun, ignore, linksOf, planOf, refuses, same, stageOf } from '../support/plans.ts'

const other = (name = 'late') => pipeline(name).source(name, () => [3])
const failing = () => begun().stage('x', same, { onError: 'dead-letter' }).stage('y', same)

test('dead letters go to a file, by way of a sink on the loop', () => {
  const plan = planOf(failing().sink('out', ignore, { onError: 'dead-letter' }).deadLetters('failed.ndjson'))
  assert.deepEqual(linksOf(plan), [
    'in -> x',
    'x -> y',
    'y -> out',
    'x -failed-> dead letters',
    'out -failed-> dead letters',
  ])
  const { kind, host, builtin, file, takesDeadLetters } = stageOf(plan, 'dead letters')
  assert.deepEqual(
    { kind, host, builtin, file, takesDeadLetters },
    { kind: 'sink', host: 'loop', builtin: 'dead-letters', file: 'failed.ndjson', takesDeadLetters: true },
  )
})

test('dead letters go to a sink of the user’s', () => {
  const sink = { process: ignore }
  const blueprint = failing().deadLetters('bad', sink, { capacity: 5 }).sink('out', ignore)
  const plan = planOf(blueprint)
  assert.deepEqual(plan.queues.at(-1), {
    from: 'x',
    to: 'bad',
    capacity: 5,
    capacityBytes: 16 * 2 ** 20,
    overflow: 'block',
    isPartitioned: false,
    isSorted: false,
    kind: 'dead-letters',
  })
  assert.equal(closeEnds(blueprint, {}).at(-1)?.body, sink)
  assert.equal(stageOf(plan, 'bad').builtin, undefined)
})

test('the last word on dead letters counts, and the run has the last word', () => {
  const lastOf = (blueprint: Blueprint<never, unknown>, file?: string) => {
    const last = planOf(blueprint, file === undefined ? {} : { run: { deadLetters: file } }).stages.at(-1)
    return last?.file ?? last?.name
  }
  const named = failing().deadLetters('one').deadLetters('bad', ignore).sink('out', ignore)
  assert.equal(lastOf(named), 'bad')
  assert.equal(lastOf(named.deadLetters('two')), 'two')
  assert.equal(lastOf(named, 'three'), 'three')
  assert.equal(lastOf(failing().sink('out', ignore), 'three'), 'three')
})

test('dead letters may be spoken of anywhere: in a branch, in a pipeline that is merged, before any stage', () => {
  const named = (blueprint: Blueprint<never, unknown>) => planOf(blueprint).stages.at(-1)?.file
  const branch = failing().broadcast({ a: (n) => n.deadLetters('in a').sink('out', ignore) })
  assert.equal(named(branch), 'in a')
  assert.equal(named(failing().merge(other().deadLetters('in q')).sink('out', ignore)), 'in q')
  const first = pipeline('p')
    .deadLetters('first')
    .source('in', () => [1])
  assert.equal(named(first.sink('out', ignore, { onError: 'dead-letter' })), 'first')
})

test('where items may go to the dead letters, these must be known', () => {
  const message =
    'stage "x" sends items that fail to the dead letters, and the pipeline does not say where they go'
  refuses(failing().sink('out', ignore), 'MILLRACE_NO_DEAD_LETTERS', message)
})

test('nothing is added for dead letters that nobody sends, and a note says so', () => {
  const plan = planOf(begun().deadLetters('file').sink('out', ignore))
  assert.deepEqual(linksOf(plan), ['in -> out'])
  assert.deepEqual(plan.notes, ['no stage has onError "dead-letter": nothing goes to the dead letters'])
})

test('dead letters have no dead letters', () => {
  const looped = failing().deadLetters('bad', ignore, { onError: 'dead-letter' }).sink('out', ignore)
  const message = 'stage "bad": onError cannot be "dead-letter" where dead letters go'
  refuses(looped, 'MILLRACE_INVALID_OPTION', message)
})

test('the name of a dead-letter sink is a stage name like any other', () => {
  const twice = failing().deadLetters('y', ignore).sink('out', ignore)
  refuses(twice, 'MILLRACE_DUPLICATE_STAGE', 'pipeline "p": two stages are named "y"')
})
