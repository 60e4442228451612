// Where the order of the items is kept, who numbers them, and which queues are sorted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Blueprint, type Pipeline, pipeline } from '../../src/define/pipeline.ts'
import type { StageOptions } from '../../src/define/stage-options.ts'
import { begun, ignore, planOf, same } from '../support/plans.ts'

type Begun = Pipeline<never, number>

const late = () => pipeline('q').source('late', () => [3])
const four: StageOptions<number> = { workers: 4 }
const any: StageOptions<number> = { workers: 4, order: 'completion' }
const x = (p: Begun, options: StageOptions<number> = four) => p.stage('x', same, options)
const out = (p: Begun, options: StageOptions<number> = {}) => p.sink('out', ignore, options)

/** Each stage as `name: order numbering`, with the sorted queues as `a => b`, and the others as `a ~> b`. */
function orderOf(blueprint: Blueprint<never, unknown>): string {
  const plan = planOf(blueprint, { cores: 1000 })
  const stages = plan.stages
    .filter(({ kind }) => kind !== 'source')
    .map(({ name, order, numbering }) => `${name}: ${order} ${numbering}`)
  const queues = plan.queues.map(({ from, to, isSorted }) => `${from} ${isSorted ? '=>' : '~>'} ${to}`)
  return [...stages, ...queues].join(', ')
}

const SHAPES: Record<string, [Blueprint<never, unknown>, string]> = {
  'one worker each': [out(x(begun(), {})), 'x: input own, out: input own, in => x, x => out'],
  'several workers keep the order of what numbers their items': [
    out(x(begun())),
    'x: input inherit, out: input own, in => x, x => out',
  ],
  'several workers that need not': [
    out(x(begun(), any)),
    'x: completion inherit, out: input own, in => x, x ~> out',
  ],
  'room for several workers counts as several': [
    out(x(begun(), { workers: 1, maxWorkers: 2 })),
    'x: input inherit, out: input own, in => x, x => out',
  ],
  'a chain of several': [
    out(x(begun()).stage('y', same, four), four),
    'x: input inherit, y: input inherit, out: input inherit, in => x, x => y, y => out',
  ],
  'after a stage that does not keep it, the order is lost until there is one worker': [
    out(x(begun(), any).stage('y', same, four).stage('z', same).stage('w', same, four)),
    'x: completion inherit, y: completion inherit, z: input own, w: input inherit, out: input own, in => x, x ~> y, y ~> z, z => w, w => out',
  ],
  'several in hand, in order': [
    out(x(begun(), { workers: 2, concurrency: 8 })),
    'x: input inherit, out: input own, in => x, x => out',
  ],
  'several in hand of one worker, as they complete: it numbers what it gives': [
    out(x(begun(), { concurrency: 8, order: 'completion' })),
    'x: completion own, out: input own, in => x, x => out',
  ],
  partitions: [
    out(x(begun(), { workers: 4, by: same })),
    'x: input inherit, out: input own, in => x, x => out',
  ],
  'a stage that reads several queues': [
    out(x(begun().merge(late()))),
    'x: completion inherit, out: input own, in => x, late => x, x ~> out',
  ],
  'a worker that reads several queues numbers anew': [
    out(x(begun().merge(late()), {}).stage('y', same, four)),
    'x: input own, y: input inherit, out: input own, in => x, late => x, x => y, y => out',
  ],
  'branches are each in order': [
    x(begun()).route(() => 'a', { a: (n) => n.stage('y', same, four).sink('one', ignore), b: (n) => out(n) }),
    'x: input inherit, y: input inherit, one: input own, out: input own, in => x, x => y, y => one, x => out',
  ],
  'branches that come together again': [
    out(
      x(begun())
        .broadcast({ a: (n) => n.stage('y', same), b: (n) => n })
        .merge(),
    ),
    'x: input inherit, y: input own, out: input own, in => x, x => y, y => out, x => out',
  ],
  'one branch alone': [
    out(
      begun()
        .broadcast({ a: (n) => n })
        .merge(),
      four,
    ),
    'out: input inherit, in => out',
  ],
  'two empty branches are two queues': [
    out(
      begun()
        .broadcast({ a: (n) => n, b: (n) => n })
        .merge(),
      four,
    ),
    'out: completion inherit, in => out, in => out',
  ],
  batches: [begun().batch({ size: 2 }).sink('out', ignore, { workers: 2 }), 'out: input inherit, in => out'],
  'batches by key': [
    begun().batch({ size: 2, by: same }).sink('out', ignore, { workers: 2 }),
    'out: completion inherit, in => out',
  ],
  'a queue that drops is in order all the same': [
    out(x(begun()), { overflow: 'drop-old', workers: 2 }),
    'x: input inherit, out: input inherit, in => x, x => out',
  ],
  'an added stage numbers anew': [
    out(x(begun(), any).batch({ size: 2 }).unbatch()),
    'x: completion inherit, batch: input own, out: input own, in => x, x ~> batch, batch => out',
  ],
  'dead letters have no order': [
    out(x(begun(), { workers: 2, onError: 'dead-letter' })).deadLetters('bad', ignore, { workers: 2 }),
    'x: input inherit, out: input own, bad: completion inherit, in => x, x => out, x ~> bad',
  ],
}

for (const [what, [blueprint, expected]] of Object.entries(SHAPES)) {
  test(`order: ${what}`, () => assert.equal(orderOf(blueprint), expected))
}

test('a note says where order "input" was asked for and cannot be kept', () => {
  const asked: StageOptions = { workers: 2, order: 'input' }
  const cases: [Blueprint<never, unknown>, string][] = [
    [
      x(begun().merge(late()), asked).sink('out', ignore),
      'stage "x": order "input" cannot be kept: it reads several queues',
    ],
    [
      x(begun(), any).sink('out', ignore, asked),
      'stage "out": order "input" cannot be kept: stage "x" gives items as they are ready',
    ],
    [
      begun().batch({ size: 1, by: same }).sink('out', ignore, asked),
      'stage "out": order "input" cannot be kept: batches of different keys overtake each other',
    ],
    [
      x(begun(), { workers: 2 })
        .flatMap((n) => [n, n])
        .sink('out', ignore, { ...asked, by: same }),
      'stage "out": order "input" cannot be kept: its keys part what several workers made of one item',
    ],
    [
      out(x(begun(), { onError: 'dead-letter' })).deadLetters('bad', ignore, asked),
      'stage "bad": order "input" cannot be kept: dead letters come from several workers',
    ],
  ]
  for (const [blueprint, note] of cases) assert.deepEqual(planOf(blueprint).notes, [note])
  assert.deepEqual(planOf(x(begun().merge(late()), { order: 'input' }).sink('out', ignore)).notes, [])
  assert.deepEqual(planOf(x(begun().merge(late()), { workers: 2 }).sink('out', ignore)).notes, [])
})

test('keys keep the order of what one worker made, and of what several made one for one', () => {
  const asked: StageOptions = { workers: 2, order: 'input', by: same }
  const twice = (n: number): number[] => [n, n]
  assert.deepEqual(planOf(x(begun(), {}).flatMap(twice).sink('out', ignore, asked)).notes, [])
  assert.deepEqual(planOf(x(begun(), { workers: 2 }).sink('out', ignore, asked)).notes, [])
})
