/** Random pipelines that shrink. */
import fc from 'fast-check'
import { agree, fitGraph, type Limits } from '../../src/cli/stress/fit-graph.ts'
import { stagesOf } from '../../src/cli/stress/graph-oracle.ts'
import type { BranchSpec, RunSpec, SourceSpec, StageSpec, Step } from '../../src/cli/stress/graph-spec.ts'

const seldom = <T>(arbitrary: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> =>
  fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: arbitrary as fc.Arbitrary<T | undefined> },
  )

const host = fc.constantFrom<('thread' | 'loop')[]>('thread', 'thread', 'loop')
const withinMs = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })

const stage: fc.Arbitrary<StageSpec> = fc
  .record({
    kind: fc.constant('stage' as const),
    name: fc.constant(''),
    on: host,
    workers: fc.integer({ min: 1, max: 4 }),
    order: fc.constantFrom<StageSpec['order'][]>('input', 'input', 'input', 'completion'),
    isPartitioned: fc.boolean(),
    capacity: fc.integer({ min: 1, max: 16 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    form: fc.constantFrom<StageSpec['form'][]>('sync', 'sync', 'async', 'generator', 'async generator'),
    pace: fc.constantFrom<StageSpec['pace'][]>('none', 'spin', 'turn'),
    most: fc.integer({ min: 1, max: 3 }),
    drops: fc.boolean(),
    hasFilter: fc.boolean(),
    fails: fc.boolean(),
    onError: fc.constantFrom('skip' as const, 'dead-letter' as const),
    attempts: fc.integer({ min: 1, max: 3 }),
    fault: seldom(
      fc.integer({ min: 1, max: 40 }).map((at) => ({ how: 'exit' as const, at })),
      25,
    ),
    endAfter: fc.constant(undefined),
    batch: seldom(fc.record({ size: fc.integer({ min: 1, max: 6 }), withinMs, isKeyed: fc.boolean() }), 8),
  })
  .map(agree)

const sink: fc.Arbitrary<StageSpec> = stage.map((given) =>
  agree({
    ...given,
    kind: 'sink',
    form: given.form.startsWith('async') ? 'async' : 'sync',
    hasFilter: false,
  }),
)

const branch: fc.Arbitrary<BranchSpec> = fc.record({
  name: fc.constant(''),
  stages: fc.array(stage, { maxLength: 2 }),
  sink: fc.option(sink, { nil: undefined, freq: 2 }),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: stage as fc.Arbitrary<Step> },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rebatch' as const),
      size: fc.integer({ min: 1, max: 6 }),
      withinMs,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('split' as const),
      name: fc.constant(''),
      how: fc.constantFrom('broadcast' as const, 'route' as const),
      hasNone: fc.boolean(),
      branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
    }),
  },
)

const source: fc.Arbitrary<SourceSpec> = fc.record({
  name: fc.constant(''),
  items: fc.integer({ min: 0, max: 300 }),
  on: host,
  isAsync: fc.boolean(),
})

const drawn = fc.record({
  seed: fc.nat(),
  sources: fc.oneof(
    { weight: 3, arbitrary: fc.array(source, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(source, { minLength: 2, maxLength: 2 }) },
  ),
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  sink: sink as fc.Arbitrary<StageSpec | undefined>,
  terminations: fc.constant(0),
  stop: seldom(
    fc.record({
      how: fc.constantFrom('drain' as const, 'abort' as const),
      after: fc.integer({ min: 0, max: 100 }),
    }),
    8,
  ),
})
const ending = seldom(fc.record({ stage: fc.nat(), after: fc.integer({ min: 0, max: 50 }) }), 8)

/** A pipeline of 1 to 8 stages between its sources and its sinks, and how its run is ended. */
export function randomRun(limits: Limits = {}): fc.Arbitrary<RunSpec> {
  return fc.tuple(drawn, ending).map(([spec, end]) => {
    const fitting = fitGraph(spec, limits)
    const all = stagesOf(fitting)
    if (end !== undefined) all[end.stage % all.length].endAfter = end.after
    return fitting
  })
}
