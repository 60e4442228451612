/**
 * What must come of a run of a random graph, worked out without threads.
 *
 * Whatever a stage decides about an item - to fail, to drop it, how many outputs - is a hash of the item's id and the
 * stage's name. The pipeline (build-graph.ts) asks the functions here; so does the oracle.
 */
import type { RunSpec, SplitSpec, StageSpec, Step } from './graph-spec.ts'

/** What travels. */
export interface Value {
  id: number
  /** Number of the source. */
  source: number
  /** Number of the item at its source, from 1. */
  item: number
  /** Which output of each stage it is, from 0: "0.2.0". */
  path: string
}

export interface ExpectedSink {
  /** Ids that reach it, each as often as it does. */
  ids: number[]
  /** Whether they reach it in this order. */
  isSequence: boolean
  /**
   * Items that may come once more for each time that its thread ended: what a sink does to the world outside and what
   * it gives back are two steps, and the thread may end between them while it is busy with another item.
   */
  again: number
}

export interface ExpectedStage {
  /** Items that it gets. */
  in: number
  /** Items that fail for good. */
  failed: number
  /** Items that give no output and do not fail; undefined: it depends on which of them make a batch. */
  dropped: number | undefined
}

export interface Expected {
  sinks: Record<string, ExpectedSink>
  /** Of the stages and sinks of the spec, by name; not of those that Millrace adds. */
  stages: Record<string, ExpectedStage>
  /** Ids that reach the dead letters, by stage. */
  deadLetters: Record<string, number[]>
}

interface Flow {
  values: Value[]
  /** Whether it is known in which order they come. */
  isOrdered: boolean
  /** Whether several of them may stand at one place in that order. */
  mayRepeat: boolean
}

/** FNV-1a over the parts, then mixed: the low bits count. */
export function hash(...parts: (string | number)[]): number {
  let state = 0x811c9dc5
  for (const part of parts) {
    const text = `${part}|`
    for (let index = 0; index < text.length; index++) {
      state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
    }
  }
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b)
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b)
  return (state ^ (state >>> 16)) >>> 0
}

/** Item `item`, from 1, of a source. */
export function sourceValue(seed: number, source: number, item: number): Value {
  return { id: hash(seed, 'source', source, item), source, item, path: '' }
}

/** Up to which attempt it fails: 0 if it does not, Infinity if it fails for good. */
export function failsUntil(seed: number, stage: StageSpec, { id }: Value): number {
  if (!stage.fails) return 0
  const chance = hash(seed, stage.name, 'fails', id)
  if (chance % 5 !== 0) return 0
  // A batch fails as a whole, and nobody knows who will be in it: none of its items fails for good.
  const isForGood = stage.batch === undefined && (stage.attempts === 1 || chance % 2 === 0)
  return isForGood ? Number.POSITIVE_INFINITY : (chance >>> 8) % stage.attempts
}

/** Whether the stage's fault strikes at the item: only at the first output of everything before. */
export function isStruck({ fault }: StageSpec, { item, path }: Value): boolean {
  return fault?.at === item && /^[0.]*$/.test(path)
}

/** What a stage makes of an item that does not fail, before its filter. */
export function outputsOf(seed: number, stage: StageSpec, value: Value): Value[] {
  const chance = hash(seed, stage.name, 'outputs', value.id)
  const isMany = stage.form === 'generator' || stage.form === 'async generator'
  const isDropped = stage.drops && chance % 7 === 0
  const count = isDropped ? 0 : isMany ? (chance >>> 8) % (stage.most + 1) : 1
  return Array.from({ length: count }, (_, index) => ({
    ...value,
    id: hash(seed, stage.name, value.id, index),
    path: value.path === '' ? `${index}` : `${value.path}.${index}`,
  }))
}

/** The filter after a stage that has one. */
export function isKept(seed: number, stage: StageSpec, { id }: Value): boolean {
  return !stage.hasFilter || hash(seed, stage.name, 'filter', id) % 4 !== 0
}

/** The branch that an item is routed to; undefined: none. */
export function branchOf(seed: number, split: SplitSpec, { id }: Value): string | undefined {
  const { branches, hasNone } = split
  return branches[hash(seed, split.name, id) % (branches.length + (hasNone ? 1 : 0))]?.name
}

/** Every stage and sink of the spec. */
export function stagesOf({ steps, sink }: RunSpec): StageSpec[] {
  const listed = steps.flatMap((step) => {
    if (step.kind === 'rebatch') return []
    if (step.kind !== 'split') return [step]
    return step.branches.flatMap(({ stages, sink }) => (sink === undefined ? stages : [...stages, sink]))
  })
  return sink === undefined ? listed : [...listed, sink]
}

/** Whether what comes of the run is known: it goes on to the end of its sources. */
export function isExact(spec: RunSpec): boolean {
  return (
    spec.stop === undefined &&
    stagesOf(spec).every(({ endAfter, fault }) => endAfter === undefined && fault?.how !== 'throw')
  )
}

/** What comes of the run if nothing ends it early; else the most that can. */
export function expectRun(spec: RunSpec): Expected {
  return new Oracle(spec).run()
}

class Oracle {
  readonly #spec: RunSpec
  readonly #expected: Expected = { sinks: {}, stages: {}, deadLetters: {} }

  constructor(spec: RunSpec) {
    this.#spec = spec
  }

  run(): Expected {
    const { seed, sources, steps, sink } = this.#spec
    const values = sources.flatMap(({ items }, source) =>
      Array.from({ length: items }, (_, index) => sourceValue(seed, source, index + 1)),
    )
    let flow: Flow = { values, isOrdered: sources.length === 1, mayRepeat: false }
    for (const [index, step] of steps.entries()) flow = this.#step(step, flow, steps[index + 1])
    if (sink !== undefined) this.#sink(sink, flow)
    return this.#expected
  }

  #step(step: Step, flow: Flow, next: Step | undefined): Flow {
    if (step.kind === 'split') return this.#split(step, flow, next)
    return step.kind === 'rebatch' ? { ...flow, mayRepeat: false } : this.#stage(step, flow, next)
  }

  #stage(stage: StageSpec, flow: Flow, next?: Step): Flow {
    const { seed } = this.#spec
    // A route right after a stage is part of it.
    const isRouted = (value: Value): boolean =>
      next?.kind !== 'split' || next.how !== 'route' || branchOf(seed, next, value) !== undefined
    const values: Value[] = []
    let dropped = 0
    for (const value of this.#survivors(stage, flow)) {
      const outputs = outputsOf(seed, stage, value).filter((output) => isKept(seed, stage, output))
      if (!outputs.some(isRouted)) dropped++
      values.push(...outputs)
    }
    const isCounted = stage.batch === undefined || dropped === 0
    this.#expected.stages[stage.name].dropped = isCounted ? dropped : undefined
    return { values, isOrdered: flow.isOrdered && keepsOrder(stage, flow), mayRepeat: mayRepeat(stage, flow) }
  }

  /** Items that do not fail; the others are noted. */
  #survivors(stage: StageSpec, { values }: Flow): Value[] {
    const fails = (value: Value) => failsUntil(this.#spec.seed, stage, value) === Number.POSITIVE_INFINITY
    const failed = values.filter(fails)
    this.#expected.stages[stage.name] = { in: values.length, failed: failed.length, dropped: 0 }
    if (stage.onError === 'dead-letter') this.#expected.deadLetters[stage.name] = failed.map(({ id }) => id)
    return values.filter((value) => !fails(value))
  }

  #sink(sink: StageSpec, flow: Flow): void {
    const ids = this.#survivors(sink, flow).map(({ id }) => id)
    const isInTurn = sink.workers === 1 && sink.concurrency === 1 && sink.batch?.isKeyed !== true
    const again = sink.fault === undefined ? 0 : (sink.concurrency - 1) * (sink.batch?.size ?? 1)
    this.#expected.sinks[sink.name] = { ids, isSequence: flow.isOrdered && isInTurn, again }
  }

  #split(split: SplitSpec, flow: Flow, next: Step | undefined): Flow {
    const open: Flow[] = []
    // Where one branch goes on, what comes next comes right after its last stage.
    const isOnlyOpen = split.branches.filter(({ sink }) => sink === undefined).length === 1
    for (const branch of split.branches) {
      const isHere = (value: Value): boolean =>
        split.how === 'broadcast' || branchOf(this.#spec.seed, split, value) === branch.name
      let part: Flow = { ...flow, values: flow.values.filter(isHere) }
      const after = isOnlyOpen && branch.sink === undefined ? next : undefined
      for (const [index, stage] of branch.stages.entries()) {
        part = this.#stage(stage, part, index === branch.stages.length - 1 ? after : undefined)
      }
      if (branch.sink === undefined) open.push(part)
      else this.#sink(branch.sink, part)
    }
    const isOrdered = open.length === 1 && open[0].isOrdered
    return {
      values: open.flatMap(({ values }) => values),
      isOrdered,
      mayRepeat: open.some((flow) => flow.mayRepeat),
    }
  }
}

function keepsOrder(stage: StageSpec, before: Flow): boolean {
  const { workers, order, concurrency, batch, isPartitioned } = stage
  if (batch !== undefined && (workers > 1 || batch.isKeyed)) return false
  // Its keys part what several workers made of one item.
  if (workers > 1 && isPartitioned && before.mayRepeat) return false
  return order === 'input' || (workers === 1 && concurrency === 1)
}

/** Whether several of its outputs may stand at one place in the order: one worker numbers them anew. */
function mayRepeat({ workers, form }: StageSpec, before: Flow): boolean {
  return workers > 1 && (form.endsWith('generator') || before.mayRepeat)
}
