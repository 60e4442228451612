/** The pipeline of a RunSpec. What its stages decide is in graph-oracle.ts; what its sinks get is in a log. */
import { isMainThread } from 'node:worker_threads'
import { type Blueprint, type Pipeline, pipeline } from '../../define/pipeline.ts'
import type { ProcessFunction, StageContext } from '../../define/stage-body.ts'
import type { StageOptions } from '../../define/stage-options.ts'
import { SENTINEL } from '../../sentinel.ts'
import {
  branchOf,
  failsUntil,
  hash,
  isKept,
  isStruck,
  outputsOf,
  sourceValue,
  stagesOf,
  type Value,
} from './graph-oracle.ts'
import type { BranchSpec, RunSpec, SourceSpec, SplitSpec, StageSpec, Step } from './graph-spec.ts'

/** Name of the stage that takes the dead letters. */
export const DEAD = 'dead'

/** Where sinks note what reaches them. */
export interface Log {
  /** @param place name of a sink; of a stage: for its dead letters */
  note(place: string, id: number): void
  /** A fault that ends the run is about to strike. */
  noteEnd(): void
}

/** A sink is noted under its name; its own dead letters are too, marked. */
export function deadLettersOf(stage: string): string {
  return `dead letters of ${stage}`
}

/** Long enough for an item that does not hang, also on a busy machine. */
const HANG_TIMEOUT_MS = 1_000
/** Enough for a stage that does not run out of it. */
const OOM_MB = 32

type Open = Pipeline<never, Value>
type Closed = Blueprint<never, never>
type Body = (input: Value | Value[], ctx: StageContext) => unknown

export function buildGraph(spec: RunSpec, log: Log): Closed {
  return new Graph(spec, log).build()
}

class Graph {
  readonly #spec: RunSpec
  readonly #log: Log

  constructor(spec: RunSpec, log: Log) {
    this.#spec = spec
    this.#log = log
  }

  build(): Closed {
    const { sources, steps, sink } = this.#spec
    const [first, ...others] = sources.map((source, index) => this.#source(source, index))
    let flow: Open = others.length === 0 ? first : first.merge(...others)
    for (const step of steps) flow = this.#step(flow, step)
    // Of a split of which no branch is open, what the step gave has ended.
    const ended = sink === undefined ? (flow as unknown as Closed) : this.#sink(flow, sink)
    if (stagesOf(this.#spec).every(({ onError }) => onError !== 'dead-letter')) return ended
    return ended.deadLetters(DEAD, ({ stage, input }) =>
      this.#log.note(deadLettersOf(stage), (input as Value).id),
    )
  }

  #source({ name, items, on, isAsync }: SourceSpec, source: number): Open {
    const { seed } = this.#spec
    const body = isAsync ? () => lateValues(seed, source, items) : () => values(seed, source, items)
    return pipeline('random graph').source<Value>(name, body, { on })
  }

  #step(flow: Open, step: Step): Open {
    if (step.kind === 'split') return this.#split(flow, step)
    if (step.kind !== 'rebatch') return this.#stage(flow, step)
    const { size, withinMs } = step
    return flow.batch({ size, ...(withinMs === undefined ? {} : { withinMs }) }).unbatch()
  }

  #stage(flow: Open, stage: StageSpec): Open {
    const { seed } = this.#spec
    const body = bodyOf(seed, stage, this.#log) as ProcessFunction<Value, unknown>
    const isList = stage.batch !== undefined && (stage.form === 'sync' || stage.form === 'async')
    let next = batched(flow, stage).stage(
      stage.name,
      body,
      optionsOf(stage, this.#spec.terminations),
    ) as unknown as Open
    if (isList) next = (next as unknown as Pipeline<never, Value[]>).unbatch()
    return stage.hasFilter ? next.filter((value) => isKept(seed, stage, value)) : next
  }

  #sink(flow: Open, sink: StageSpec): Closed {
    const body = sinkBody(this.#spec.seed, sink, this.#log) as ProcessFunction<Value, unknown>
    return batched(flow, sink).sink(sink.name, body, optionsOf(sink, this.#spec.terminations))
  }

  /** Ended if all of its branches are. */
  #split(flow: Open, split: SplitSpec): Open {
    const branches = Object.fromEntries(
      split.branches.map((branch) => [branch.name, (begun: Open) => this.#branch(begun, branch)]),
    )
    const { seed } = this.#spec
    const made =
      split.how === 'broadcast'
        ? flow.broadcast(branches as never)
        : flow.route((value: Value) => branchOf(seed, split, value) as never, branches as never)
    const whole = made as unknown as Open
    return split.branches.every(({ sink }) => sink !== undefined) ? whole : whole.merge()
  }

  #branch(begun: Open, { stages, sink }: BranchSpec): Open | Closed {
    const flow = stages.reduce((before, stage) => this.#stage(before, stage), begun)
    return sink === undefined ? flow : this.#sink(flow, sink)
  }
}

/** What comes next gets batches, if it is to. */
function batched(flow: Open, { batch }: StageSpec): Open {
  if (batch === undefined) return flow
  const { size, withinMs, isKeyed } = batch
  const options = {
    size,
    ...(withinMs === undefined ? {} : { withinMs }),
    ...(isKeyed ? { by: ({ id }: Value) => id % 3 } : {}),
  }
  return flow.batch(options) as unknown as Open
}

function optionsOf(stage: StageSpec, terminations: number): StageOptions<Value> {
  const { on, workers, order, capacity, concurrency, onError, isPartitioned, fault } = stage
  const isHung = fault?.how === 'hang'
  // Those that time out beside it, on a busy machine, must not fail for good.
  const attempts = stage.attempts + (isHung ? 3 : 0)
  const mayDie = on === 'thread' && (terminations > 0 || (fault !== undefined && fault.how !== 'throw'))
  return {
    on,
    workers,
    order,
    capacity,
    concurrency,
    onError: fault?.how === 'throw' ? 'stop' : onError,
    ...(attempts > 1 ? { retry: { attempts } } : {}),
    ...(isPartitioned ? { by: ({ id }: Value) => id % 7 } : {}),
    // What dies once must not fail for it, however many others are suspected with it.
    ...(mayDie ? { restart: { limit: 50, delayMs: 0 }, poisonAfter: 20 } : {}),
    ...(isHung ? { timeoutMs: HANG_TIMEOUT_MS } : {}),
    ...(fault?.how === 'oom' ? { resourceLimits: { maxOldGenerationSizeMb: OOM_MB } } : {}),
  }
}

function* values(seed: number, source: number, items: number): Generator<Value> {
  for (let item = 1; item <= items; item++) yield sourceValue(seed, source, item)
}

async function* lateValues(seed: number, source: number, items: number): AsyncGenerator<Value> {
  for (const value of values(seed, source, items)) {
    if (value.id % 4 === 0) await turn()
    yield value
  }
}

/** The function of a stage in its form. */
function bodyOf(seed: number, stage: StageSpec, log: Log): Body {
  const begin = beginnerOf(seed, stage, log)
  const make = (input: Value | Value[]): Value[] =>
    listOf(input).flatMap((value) => outputsOf(seed, stage, value))
  // A batch gives a list, which is spread after it.
  const give = (input: Value | Value[]): unknown => (Array.isArray(input) ? make(input) : make(input)[0])
  switch (stage.form) {
    case 'sync':
      return (input, ctx) => (begin(input, ctx) ? give(input) : SENTINEL)
    case 'async':
      return async (input, ctx) => {
        await pause(seed, stage, input)
        return begin(input, ctx) ? give(input) : SENTINEL
      }
    case 'generator':
      return function* (input, ctx) {
        if (!begin(input, ctx)) yield SENTINEL
        else yield* make(input)
      }
    case 'async generator':
      return async function* (input, ctx) {
        await pause(seed, stage, input)
        if (begin(input, ctx)) {
          for (const output of make(input)) {
            yield output
            await pause(seed, stage, output)
          }
        } else yield SENTINEL
      }
  }
}

function sinkBody(seed: number, sink: StageSpec, log: Log): Body {
  const begin = beginnerOf(seed, sink, log)
  const take: Body = (input, ctx) => {
    if (!begin(input, ctx)) return SENTINEL
    for (const { id } of listOf(input)) log.note(sink.name, id)
  }
  if (sink.form === 'sync') return take
  return async (input, ctx) => {
    await pause(seed, sink, input)
    return take(input, ctx)
  }
}

/** What a stage does before it gives anything: spins, crashes, fails. False: the stream is to end. */
function beginnerOf(seed: number, stage: StageSpec, log: Log) {
  let left = stage.endAfter ?? Number.POSITIVE_INFINITY
  return (input: Value | Value[], ctx: StageContext): boolean => {
    if (left-- <= 0) return false
    const list = listOf(input)
    if (stage.pace === 'spin') spin(seed, stage, list[0])
    if (ctx.attempt === 1 && list.some((value) => isStruck(stage, value))) strike(stage, log)
    const failing = list.find((value) => failsUntil(seed, stage, value) >= ctx.attempt)
    if (failing !== undefined) throw new Error(`${stage.name} fails ${failing.id}, attempt ${ctx.attempt}`)
    return true
  }
}

/** The fault of the stage happens, in its thread. */
function strike({ name, fault }: StageSpec, log: Log): void {
  if (fault?.how === 'throw') {
    log.noteEnd()
    throw new Error(`${name} was told to fail`)
  }
  // What takes the thread must not take the process.
  if (isMainThread) return
  if (fault?.how === 'exit') process.exit(0)
  if (fault?.how === 'hang') for (;;);
  // A Map that grows without end would abort the whole process, and so may small arrays on Node 24. Where the loop makes
  // them with `new Array(1_000)`, Node 24 and 26 cannot end its thread: docs/reliability.md.
  const hoard: unknown[] = []
  if (fault?.how === 'oom') for (;;) hoard.push(Array.from({ length: 10_000 }, () => hoard.length))
}

function listOf(input: Value | Value[]): Value[] {
  return Array.isArray(input) ? input : [input]
}

/** Keeps the thread busy for up to 60 microseconds. */
function spin(seed: number, stage: StageSpec, { id }: Value): void {
  const end = performance.now() + (hash(seed, stage.name, 'spin', id) % 60) / 1000
  while (performance.now() < end);
}

/** For some items, up to three turns of the event loop. */
async function pause(seed: number, stage: StageSpec, input: Value | Value[]): Promise<void> {
  if (stage.pace !== 'turn') return
  const [value] = listOf(input)
  for (let turns = hash(seed, stage.name, 'turn', value.id) % 4; turns > 0; turns--) await turn()
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
