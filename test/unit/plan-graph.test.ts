// How stages hang together: branches, merges, added stages, closed ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Blueprint, type Pipeline, pipeline } from '../../src/define/pipeline.ts'
import { closeEnds } from '../../src/plan/close-ends.ts'
import { hasOutput } from '../../src/plan/make-plan.ts'
import { begun, ignore, linksOf, planOf, same, stageOf } from '../support/plans.ts'

const namesOf = (blueprint: Blueprint<never, unknown>, context = {}) =>
  planOf(blueprint, context).stages.map(({ name }) => name)
const other = (name = 'late') => pipeline(name).source(name, () => [3])
const passed = (name: string) => (branch: Pipeline<never, number>) => branch.stage(name, same)

test('a chain has a queue between each stage and the next', () => {
  const plan = planOf(begun().stage('x', same).sink('out', ignore))
  assert.deepEqual(linksOf(plan), ['in -> x', 'x -> out'])
  assert.deepEqual(
    plan.stages.map(({ kind }) => kind),
    ['source', 'stage', 'sink'],
  )
})

test('the stage before a split becomes the split, operators and all', () => {
  const split = begun()
    .stage('x', same)
    .map(same)
    .broadcast({ a: (n) => n.sink('one', ignore), b: (n) => n.stage('y', same).sink('two', ignore) })
  const plan = planOf(split)
  assert.deepEqual(linksOf(plan), ['in -> x', 'x -a-> one', 'x -b-> y', 'y -> two'])
  const { split: kind, branches, operators } = stageOf(plan, 'x')
  assert.deepEqual(
    { kind, branches, operators },
    { kind: 'broadcast', branches: ['a', 'b'], operators: ['map'] },
  )
})

test('a source can split, and a route keeps the function that chooses', () => {
  const choose = (n: number) => (n > 1 ? 'big' : 'small')
  const routed = begun().route(choose, {
    big: (n) => n.sink('one', ignore),
    small: (n) => n.sink('two', ignore),
  })
  assert.equal(closeEnds(routed, {})[0].choose, choose)
  const plan = planOf(routed)
  assert.deepEqual(linksOf(plan), ['in -big-> one', 'in -small-> two'])
  assert.deepEqual(structuredClone(plan), plan)
})

test('open branches are merged by the stage that comes next; an empty branch leads straight to it', () => {
  const merged = begun()
    .stage('x', same)
    .route(() => 'a', { a: passed('y'), b: (n) => n, c: (n) => n.sink('end', ignore), d: (n) => n })
    .merge()
    .sink('out', ignore)
  assert.deepEqual(linksOf(planOf(merged)), [
    'in -> x',
    'x -a-> y',
    'x -c-> end',
    'y -> out',
    'x -b-> out',
    'x -d-> out',
  ])
})

test('pipelines with sources of their own are merged', () => {
  const merged = begun().map(same).merge(other().stage('y', same), other('last')).sink('out', ignore)
  assert.deepEqual(namesOf(merged), ['in', 'late', 'y', 'last', 'out'])
  assert.deepEqual(linksOf(planOf(merged)), ['late -> y', 'in -> out', 'y -> out', 'last -> out'])
})

test('open branches and other pipelines are merged at once', () => {
  const merged = begun()
    .broadcast({ a: passed('y'), b: (n) => n })
    .merge(other())
    .sink('out', ignore)
  assert.deepEqual(linksOf(planOf(merged)), ['in -a-> y', 'y -> out', 'in -b-> out', 'late -> out'])
})

test('a batch is taken by the stage or the sink that comes next', () => {
  const by = (n: number) => n % 2
  const batched = begun()
    .batch({ size: 3, withinMs: 10, by })
    .stage('x', (items) => items.length)
    .batch({ bytes: 1000 })
    .sink('out', ignore)
  const plan = planOf(batched)
  assert.deepEqual(linksOf(plan), ['in -> x', 'x -> out'])
  assert.deepEqual(stageOf(plan, 'x').batch, { size: 3, withinMs: 10, isKeyed: true })
  assert.deepEqual(stageOf(plan, 'out').batch, { size: 64, bytes: 1000, isKeyed: false })
  assert.equal(closeEnds(batched, {})[1].batch?.by, by)
})

const size2 = { size: 2 }

const AFTER_BATCH: Record<string, Blueprint<never, unknown>> = {
  'in -> batch, batch -> out': begun().batch(size2).tap(ignore).sink('out', ignore),
  'in -> batch, batch -> x, x -> out': begun().batch(size2).unbatch().stage('x', same).sink('out', ignore),
  'in -> batch, batch -> out,': begun().batch(size2).batch(size2).sink('out', ignore),
  'in -> batch, batch -a-> out': begun()
    .batch(size2)
    .broadcast({ a: (items) => items.sink('out', ignore) }),
  'in -> batch, batch -> out, late -> out': begun().batch(size2).merge(other()).sink('out', ignore),
  'in -a-> batch, batch -> out': begun()
    .broadcast({ a: (n) => n.batch(size2) })
    .merge()
    .sink('out', ignore),
  'in -> batch, batch -> batch 2, batch 2 -> batch 3, batch 3 -> out': begun()
    .batch(size2)
    .unbatch()
    .batch(size2)
    .unbatch()
    .batch(size2)
    .filter(() => true)
    .sink('out', ignore),
}

for (const [links, blueprint] of Object.entries(AFTER_BATCH)) {
  test(`a batch that anything else follows has a stage of its own: ${links}`, () => {
    const plan = planOf(blueprint)
    assert.equal(linksOf(plan).join(', '), links.replace(/,$/, ''))
    const { batch, builtin, kind } = stageOf(plan, 'batch')
    assert.deepEqual([batch?.size, builtin, kind], [2, 'identity', 'stage'])
  })
}

const ADDED: Record<string, Blueprint<never, unknown>> = {
  'in -a-> branch a, branch a -> out': begun().broadcast({ a: (n) => n.map(same).sink('out', ignore) }),
  'in -> merge, late -> merge, merge -> out': begun().merge(other()).map(same).sink('out', ignore),
  'in -> split, late -> split, split -a-> out': begun()
    .merge(other())
    .broadcast({ a: (n) => n.sink('out', ignore) }),
  'in -a-> split, split -b-> out': begun().broadcast({
    a: (n) => n.broadcast({ b: (m) => m.sink('out', ignore) }),
  }),
  'in -a-> split, split -x-> one, in -b-> split 2, split 2 -x-> two': begun().broadcast({
    a: (n) => n.broadcast({ x: (m) => m.sink('one', ignore) }),
    b: (n) => n.broadcast({ x: (m) => m.sink('two', ignore) }),
  }),
}

for (const [links, blueprint] of Object.entries(ADDED)) {
  test(`where no stage can take it, one is added: ${links}`, () => {
    // In the order of the names, because queues are listed by their readers.
    assert.deepEqual(linksOf(planOf(blueprint)).toSorted(), links.split(', ').toSorted())
  })
}

test('operators after a split that was merged belong to the merging stage, not to the branches', () => {
  const plan = planOf(
    begun()
      .broadcast({ a: passed('y'), b: (n) => n })
      .merge()
      .map(same)
      .tap(ignore)
      .sink('out', ignore),
  )
  assert.deepEqual(stageOf(plan, 'merge').operators, ['map', 'tap'])
  assert.deepEqual(stageOf(plan, 'y').operators, [])
})

test('names of added stages give way to names of the user’s, wherever these stand', () => {
  const early = begun().stage('batch', same).batch(size2).unbatch().stage('batch 2', same).sink('out', ignore)
  assert.deepEqual(namesOf(early), ['in', 'batch', 'batch 3', 'batch 2', 'out'])
  const late = begun().batch(size2).unbatch().stage('batch', same).sink('out', ignore)
  assert.deepEqual(namesOf(late), ['in', 'batch 2', 'batch', 'out'])
  assert.deepEqual(linksOf(planOf(late)), ['in -> batch 2', 'batch 2 -> batch', 'batch -> out'])
})

test('pipelines that are merged keep their added stages apart', () => {
  const batched = (name: string) => other(name).batch(size2).unbatch()
  const merged = batched('one').merge(batched('two'), batched('three')).map(same).sink('out', ignore)
  assert.deepEqual(linksOf(planOf(merged)), [
    'one -> batch',
    'two -> batch 2',
    'three -> batch 3',
    'batch -> merge',
    'batch 2 -> merge',
    'batch 3 -> merge',
    'merge -> out',
  ])
})

test('closed ends are the same every time: a worker finds the stages that were planned', () => {
  const build = () =>
    begun()
      .batch(size2)
      .unbatch()
      .broadcast({ a: (n) => n.map(same), b: (n) => n.batch(size2), c: (n) => n })
      .merge(other())
      .filter(() => true)
      .deadLetters('file')
      .stage('x', (item) => item, { onError: 'dead-letter' })
  const context = { canOutput: true }
  const shape = (blueprint: Blueprint<never, unknown>) =>
    closeEnds(blueprint, context).map(({ kind, name, from, builtin }) => ({ kind, name, from, builtin }))
  assert.deepEqual(shape(build()), shape(build()))
  assert.deepEqual(
    shape(build()).map(({ name }) => name),
    planOf(build(), context).stages.map(({ name }) => name),
  )
  assert.deepEqual(
    shape(build()).map(({ name }) => name),
    ['in', 'batch', 'branch a', 'batch 2', 'late', 'merge', 'x', 'output', 'dead letters'],
  )
})

test('each reader comes after those that it reads from', () => {
  const plan = planOf(
    begun()
      .broadcast({ a: (n) => n.merge(other()), b: passed('y') })
      .merge(other('third'))
      .sink('out', ignore),
  )
  const place = new Map(plan.stages.map(({ name }, index) => [name, index]))
  for (const { from, to } of plan.queues)
    assert.ok((place.get(from) ?? -1) < (place.get(to) ?? -1), `${from} -> ${to}`)
})

test('added stages run on the loop if every other stage does', () => {
  const hostOf = (on: 'loop' | 'thread') =>
    stageOf(
      planOf(
        pipeline('p')
          .source('in', () => [1], { on: 'loop' })
          .batch(size2)
          .unbatch()
          .sink('out', ignore, { on }),
      ),
      'batch',
    ).host
  assert.deepEqual([hostOf('loop'), hostOf('thread')], ['loop', 'thread'])
})

test('the caller’s input feeds what nothing feeds, and what is open goes to the caller', () => {
  const both = { hasInput: true, canOutput: true }
  const links = (blueprint: Blueprint<never, unknown>) => linksOf(planOf(blueprint, both))
  const fed = () => pipeline<number>('fed')
  assert.deepEqual(links(fed().stage('x', same)), ['input -> x', 'x -> output'])
  assert.deepEqual(links(fed()), ['input -> output'])
  assert.deepEqual(links(fed().map(same).stage('x', same)), ['input -> x', 'x -> output'])
  assert.deepEqual(links(fed().batch(size2)), ['input -> batch', 'batch -> output'])
  assert.deepEqual(links(fed().merge(other())), ['input -> output', 'late -> output'])
  assert.deepEqual(links(other().merge(fed().stage('x', same))), [
    'input -> x',
    'late -> output',
    'x -> output',
  ])
  assert.deepEqual(links(fed().broadcast({ a: (n) => n, b: (n) => n.sink('end', ignore), c: (n) => n })), [
    'input -> split',
    'split -b-> end',
    'split -a-> output',
    'split -c-> output',
  ])
  assert.deepEqual(
    links(
      fed()
        .map(same)
        .broadcast({ a: passed('y') }),
    ),
    ['input -a-> y', 'y -> output'],
  )
  const plan = planOf(fed(), both)
  assert.deepEqual(
    plan.stages.map(({ host, builtin, sourceIndex }) => [host, builtin, sourceIndex]),
    [
      ['loop', 'input', 0],
      ['loop', 'output', undefined],
    ],
  )
})

test('a plan knows whether the caller reads what comes out', () => {
  assert.equal(hasOutput(planOf(begun(), { canOutput: true })), true)
  assert.equal(hasOutput(planOf(begun().sink('out', ignore), { canOutput: true })), false)
  assert.equal(hasOutput(planOf(begun().sink('output', ignore), { canOutput: true })), false)
  const split = begun().broadcast({ a: (n) => n, b: (n) => n.stage('x', same, { onError: 'dead-letter' }) })
  assert.equal(hasOutput(planOf(split, { canOutput: true, run: { deadLetters: 'file' } })), true)
})

test('a builder is not changed by what is made of it', () => {
  const base = begun().stage('x', same)
  const before = JSON.stringify(base)
  base.map(same).broadcast({ a: (n) => n })
  base.batch(size2).unbatch().deadLetters('file')
  base.merge(other())
  assert.equal(JSON.stringify(base), before)
})
