/** Random pipelines: plain data, to be built by fixtures/pipelines/random-graph.ts and foretold by graph-oracle.ts. */
import fc from 'fast-check'
import { expectRun, stagesOf } from './graph-oracle.ts'

export interface RunSpec {
  /** Of everything that stages decide. */
  seed: number
  /** One, or two that are merged. */
  sources: SourceSpec[]
  steps: Step[]
  /** None: every branch of the last step, a split, ends in a sink of its own. */
  sink: StageSpec | undefined
  /** The test is to stop the run when so many items have been delivered. */
  stop: { how: 'drain' | 'abort'; after: number } | undefined
}

export interface SourceSpec {
  name: string
  items: number
  on: 'thread' | 'loop'
  isAsync: boolean
}

export type Step = StageSpec | RebatchSpec | SplitSpec

/** A stage, or a sink: that has the forms 'sync' and 'async', and gives nothing. */
export interface StageSpec {
  kind: 'stage' | 'sink'
  name: string
  on: 'thread' | 'loop'
  workers: number
  order: 'input' | 'completion'
  /** By id. */
  isPartitioned: boolean
  capacity: number
  concurrency: number
  form: 'sync' | 'async' | 'generator' | 'async generator'
  /** For some items: 'spin' keeps the thread busy for some microseconds; 'turn' awaits a turn of the event loop. */
  pace: 'none' | 'spin' | 'turn'
  /** Most outputs of an item, of a generator. */
  most: number
  /** Some items are dropped. */
  drops: boolean
  /** A filter after it drops some outputs. */
  hasFilter: boolean
  /** Some items fail, some of them for good. */
  fails: boolean
  onError: 'skip' | 'dead-letter'
  /** Tries in all. */
  attempts: number
  /** Number, at its source, of an item at whose first attempt the thread exits. */
  crashAt: number | undefined
  /** Each of its workers gives SENTINEL in place of its next item after so many. */
  endAfter: number | undefined
  batch: { size: number; withinMs: number | undefined; isKeyed: boolean } | undefined
}

/** `.batch().unbatch()`: a stage that Millrace adds. */
export interface RebatchSpec {
  kind: 'rebatch'
  size: number
  withinMs: number | undefined
}

export interface SplitSpec {
  kind: 'split'
  name: string
  how: 'broadcast' | 'route'
  /** A route sends some items nowhere. */
  hasNone: boolean
  /** The open ones, those without a sink, are merged. */
  branches: BranchSpec[]
}

export interface BranchSpec {
  name: string
  stages: StageSpec[]
  sink: StageSpec | undefined
}

export interface Limits {
  /** Stages between the sources and the sinks at most. Default 8. */
  stages?: number
  /** Threads of a run at most. Default 10. */
  threads?: number
  /** Items that all stages together get at most. Default 4,000. */
  records?: number
}

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
    crashAt: seldom(fc.integer({ min: 1, max: 40 }), 25),
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

/** Makes what was drawn for each field by itself fit together. */
function agree(given: StageSpec): StageSpec {
  const isAsync = given.form.startsWith('async')
  const workers = given.on === 'loop' ? 1 : given.workers
  return {
    ...given,
    workers,
    concurrency: isAsync ? given.concurrency : 1,
    pace: given.pace === 'turn' && !isAsync ? 'spin' : given.pace,
    isPartitioned: given.isPartitioned && given.batch === undefined,
    crashAt: given.on === 'loop' ? undefined : given.crashAt,
  }
}

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
    const { stages = 8, threads = 10, records = 4000 } = limits
    const fitting = fitRecords(fitThreads(named(closed(shortened(spec, stages))), threads), records)
    const all = stagesOf(fitting)
    if (end !== undefined) all[end.stage % all.length].endAfter = end.after
    return fitting
  })
}

/** Leaves out what is too much, from the end. */
function shortened(spec: RunSpec, most: number): RunSpec {
  let left = most
  const take = <T>(list: T[]): T[] => {
    const taken = list.slice(0, left)
    left -= taken.length
    return taken
  }
  const steps = spec.steps.flatMap((step): Step[] => {
    if (step.kind !== 'split') return take([step])
    return [
      { ...step, branches: step.branches.map((branch) => ({ ...branch, stages: take(branch.stages) })) },
    ]
  })
  return { ...spec, steps }
}

/** Nothing follows a split of which no branch is open. */
function closed(spec: RunSpec): RunSpec {
  const isClosed = (step: Step): boolean => step.kind === 'split' && step.branches.every(({ sink }) => sink)
  const last = spec.steps.findIndex(isClosed)
  return last < 0 ? spec : { ...spec, steps: spec.steps.slice(0, last + 1), sink: undefined }
}

/** Names that are different, and say where: "stage 2", "split 3", "sink a 3". */
function named(spec: RunSpec): RunSpec {
  const steps = spec.steps.map((step, index): Step => {
    const number = index + 1
    if (step.kind === 'rebatch') return step
    if (step.kind !== 'split') return { ...step, name: `stage ${number}` }
    const branches = step.branches.map((branch, place): BranchSpec => {
      const name = 'abc'[place]
      const stages = branch.stages.map((stage, at) => ({ ...stage, name: `stage ${number}${name}${at + 1}` }))
      return { name, stages, sink: branch.sink && { ...branch.sink, name: `sink ${number}${name}` } }
    })
    return { ...step, name: `split ${number}`, branches }
  })
  const sources = spec.sources.map((source, index) => ({ ...source, name: `source ${index + 1}` }))
  return { ...spec, sources, steps, sink: spec.sink && { ...spec.sink, name: 'sink' } }
}

/** Takes workers away, one each from the stage that has most, then moves stages to the loop. Changes the spec. */
function fitThreads(spec: RunSpec, most: number): RunSpec {
  const stages = stagesOf(spec)
  for (;;) {
    const onThreads = [...stages, ...spec.sources].filter(({ on }) => on === 'thread')
    const threads = onThreads.reduce((sum, stage) => sum + ('workers' in stage ? stage.workers : 1), 0)
    if (threads <= most) return spec
    const largest = stages.reduce((one, other) => (other.workers > one.workers ? other : one))
    if (largest.workers > 1) largest.workers--
    else onThreads[0].on = 'loop'
    for (const stage of stages) Object.assign(stage, agree(stage))
  }
}

/** Halves the number of items until it is a run for a test. Changes the spec. */
function fitRecords(spec: RunSpec, most: number): RunSpec {
  for (;;) {
    const records = Object.values(expectRun(spec).stages).reduce((sum, stage) => sum + stage.in, 0)
    if (records <= most) return spec
    for (const source of spec.sources) source.items >>= 1
  }
}
