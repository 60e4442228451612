/** Draws a pipeline, its faults and how it is stopped, from a seed. */
import type { FaultKind } from './fault-kinds.ts'
import { agree, fitGraph, type Limits } from './fit-graph.ts'
import { stagesOf } from './graph-oracle.ts'
import type { BranchSpec, RunSpec, SourceSpec, StageSpec, Step } from './graph-spec.ts'
import { Random } from './random.ts'

/** Small ones more often: starting threads costs most, and what is to be found is in how they interleave. */
const SIZES: readonly Limits[] = [
  { stages: 3, threads: 4, records: 1_500 },
  { stages: 3, threads: 4, records: 1_500 },
  { stages: 5, threads: 6, records: 3_000 },
  { stages: 8, threads: 0, records: 4_000 },
  { stages: 8, threads: 10, records: 4_000 },
]
/** Until a stop or a signal comes. */
const LONG: Limits = { stages: 5, threads: 5, records: 12_000 }

/** @param fault what is to go wrong; undefined: nothing, though some runs are stopped all the same */
export function drawGraph(seed: number, fault: FaultKind | undefined): RunSpec {
  const random = new Random(seed)
  const isLong = fault === 'sigint'
  const spec = drawRun(random, isLong ? [1_000, 4_000] : [0, 300], fault === 'throw')
  const needsThread = fault !== undefined && fault !== 'throw'
  const sizes = needsThread ? SIZES.filter(({ threads }) => threads !== 0) : SIZES
  const fitting = fitGraph(spec, isLong ? LONG : random.pick(sizes))
  // The signal is the stop.
  if (fault !== 'sigint') drawEnd(random, fitting)
  drawFault(random, fitting, fault)
  return fitting
}

function drawRun(random: Random, items: [number, number], fails: boolean): RunSpec {
  const sources = random.list(random.oneIn(4) ? 2 : 1, () => drawSource(random, items))
  const steps = random.list(random.from(1, 5), () => drawStep(random, fails))
  return {
    seed: random.from(0, 2 ** 31),
    sources,
    steps,
    sink: drawSink(random, fails),
    stop: undefined,
    terminations: 0,
  }
}

function drawSource(random: Random, [least, most]: [number, number]): SourceSpec {
  return { name: '', items: random.from(least, most), on: drawHost(random), isAsync: random.oneIn(2) }
}

function drawHost(random: Random): 'thread' | 'loop' {
  return random.oneIn(3) ? 'loop' : 'thread'
}

function drawStep(random: Random, fails: boolean): Step {
  const kind = random.from(1, 9)
  if (kind === 1) return { kind: 'rebatch', size: random.from(1, 6), withinMs: drawWithin(random) }
  if (kind > 3) return drawStage(random, fails)
  return {
    kind: 'split',
    name: '',
    how: random.pick(['broadcast', 'route']),
    hasNone: random.oneIn(2),
    branches: random.list(random.from(2, 3), () => drawBranch(random, fails)),
  }
}

function drawBranch(random: Random, fails: boolean): BranchSpec {
  return {
    name: '',
    stages: random.list(random.from(0, 2), () => drawStage(random, fails)),
    sink: random.oneIn(2) ? undefined : drawSink(random, fails),
  }
}

function drawWithin(random: Random): number | undefined {
  return random.oneIn(2) ? undefined : random.from(0, 3)
}

function drawStage(random: Random, fails: boolean): StageSpec {
  return agree({
    kind: 'stage',
    name: '',
    on: drawHost(random),
    workers: random.from(1, 4),
    order: random.oneIn(4) ? 'completion' : 'input',
    isPartitioned: random.oneIn(2),
    capacity: random.from(1, 16),
    concurrency: random.from(1, 3),
    form: random.pick(['sync', 'sync', 'async', 'generator', 'async generator']),
    pace: random.pick(['none', 'spin', 'turn']),
    most: random.from(1, 3),
    drops: random.oneIn(2),
    hasFilter: random.oneIn(2),
    fails: fails && random.oneIn(2),
    onError: random.pick(['skip', 'dead-letter']),
    attempts: random.from(1, 3),
    fault: undefined,
    endAfter: undefined,
    batch: random.oneIn(8)
      ? { size: random.from(1, 6), withinMs: drawWithin(random), isKeyed: random.oneIn(2) }
      : undefined,
  })
}

function drawSink(random: Random, fails: boolean): StageSpec {
  const stage = drawStage(random, fails)
  return agree({
    ...stage,
    kind: 'sink',
    form: stage.form.startsWith('async') ? 'async' : 'sync',
    hasFilter: false,
  })
}

/** Some runs are stopped, some end themselves early. */
function drawEnd(random: Random, spec: RunSpec): void {
  if (random.oneIn(6)) spec.stop = { how: random.pick(['drain', 'abort']), after: random.from(0, 100) }
  if (random.oneIn(10)) random.pick(stagesOf(spec)).endAfter = random.from(0, 50)
}

function drawFault(random: Random, spec: RunSpec, fault: FaultKind | undefined): void {
  if (fault === 'terminate') spec.terminations = random.from(1, 4)
  if (fault === undefined || fault === 'terminate' || fault === 'sigint') return
  if (fault === 'throw') {
    // The errors of single items are drawn with each stage; some runs end by one.
    if (random.oneIn(3)) strikeOne(random, stagesOf(spec), { how: 'throw', at: random.from(1, 100) })
    return
  }
  const onThreads = stagesOf(spec).filter(({ on }) => on === 'thread')
  // What blocks its thread has one item in hand: who else would be struck with it is nobody's promise.
  const able = fault === 'hang' ? onThreads.filter(isOneByOne) : onThreads
  strikeOne(random, able, { how: fault, at: random.from(1, 40) })
}

function strikeOne(
  random: Random,
  stages: readonly StageSpec[],
  fault: NonNullable<StageSpec['fault']>,
): void {
  if (stages.length === 0) return
  // Of what is to end the run, nothing is tried again.
  Object.assign(random.pick(stages), {
    fault,
    ...(fault.how === 'throw' ? { fails: false, attempts: 1 } : {}),
  })
}

function isOneByOne({ concurrency, batch }: StageSpec): boolean {
  return concurrency === 1 && batch === undefined
}
