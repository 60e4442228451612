/** The builder: a typed, immutable blueprint. Plain data and functions; no thread, no queue, no side effect. */
import type { Emitted, FusedOperator, ProcessFunction, SourceBody, StageObject } from './stage-body.ts'
import type { StageOptions } from './stage-options.ts'

export type StageKind = 'source' | 'stage' | 'sink'

/** A stage as it was written. Checked when it is planned. */
export interface StageDefinition {
  readonly kind: StageKind
  readonly name: string
  readonly body: unknown
  readonly options: StageOptions
  readonly operators: readonly FusedOperator[]
}

const PIPELINE = 'millrace.pipeline/1'

export type SourceOptions = Omit<StageOptions, 'capacity' | 'capacityBytes'>

/**
 * What can be started. In: what comes in (`never`: it has a source of its own); Out: what comes out (`never`: it ends
 * in a sink, and nothing can follow).
 */
export interface Blueprint<In, Out> {
  /** In and Out are types only. */
  readonly _flow: (input: In) => Out
  readonly kind: typeof PIPELINE
  readonly name: string
  readonly stages: readonly StageDefinition[]
}

/** A pipeline that nothing is known of but its name: it begins with a source. */
export type EmptyPipeline = Blueprint<never, never> & Pick<Pipeline<never, never>, 'source'>

/** A blueprint that can go on. */
export class Pipeline<In, Out> implements Blueprint<In, Out> {
  /** In and Out are types only. */
  declare readonly _flow: (input: In) => Out
  readonly kind = PIPELINE
  readonly name: string
  readonly stages: readonly StageDefinition[]

  constructor(name: string, stages: readonly StageDefinition[] = []) {
    this.name = name
    this.stages = stages
  }

  /** Also a pipeline made by another copy of this package: a program and its modules may each have their own. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return (value as Pipeline<never, never> | undefined)?.kind === PIPELINE
  }

  /** Begins the pipeline: an iterable, async iterable or Readable, or better a function that makes one. */
  source<T>(name: string, body: SourceBody<T>, options: SourceOptions = {}): Pipeline<never, T> {
    return this.#with({ kind: 'source', name, body, options, operators: [] })
  }

  /**
   * Adds a stage with a worker of its own.
   *
   * A function may return the output, `undefined` to drop the item, SENTINEL to end the stream from here, or
   * be a generator of many outputs. An object holds a resource: `{ open, process, flush, close }`.
   */
  stage<R>(name: string, body: ProcessFunction<Out, R>, options?: StageOptions): Pipeline<In, Emitted<R>>
  stage<R, Resource, F = never>(
    name: string,
    body: StageObject<Out, R, Resource, F>,
    options?: StageOptions,
  ): Pipeline<In, Emitted<R> | Emitted<F>>
  stage(name: string, body: unknown, options: StageOptions = {}): Pipeline<In, never> {
    return this.#with({ kind: 'stage', name, body, options, operators: [] })
  }

  /** Ends the pipeline. What the function returns is ignored, but for SENTINEL, which ends the stream. */
  sink<R>(name: string, body: ProcessFunction<Out, R>, options?: StageOptions): Blueprint<In, never>
  sink<R, Resource>(
    name: string,
    body: StageObject<Out, R, Resource>,
    options?: StageOptions,
  ): Blueprint<In, never>
  sink(name: string, body: unknown, options: StageOptions = {}): Blueprint<In, never> {
    return this.#with({ kind: 'sink', name, body, options, operators: [] })
  }

  /** Turns each item into another, in the worker of the stage before: no queue, no hop. */
  map<R>(apply: (item: Out) => R): Pipeline<In, Exclude<Awaited<R>, undefined | void>> {
    return this.#fuse({ kind: 'map', apply: apply as FusedOperator['apply'] })
  }

  /** Keeps the items for which it returns true, in the worker of the stage before. */
  filter<Kept extends Out>(keep: (item: Out) => item is Kept): Pipeline<In, Kept>
  filter(keep: (item: Out) => boolean | Promise<boolean>): Pipeline<In, Out>
  filter(keep: (item: Out) => unknown): Pipeline<In, never> {
    return this.#fuse({ kind: 'filter', apply: keep as FusedOperator['apply'] })
  }

  /** Turns each item into any number of others, in the worker of the stage before. */
  flatMap<T>(apply: (item: Out) => Iterable<T> | AsyncIterable<T> | Promise<Iterable<T>>): Pipeline<In, T> {
    return this.#fuse({ kind: 'flatMap', apply: apply as FusedOperator['apply'] })
  }

  /** Looks at each item, in the worker of the stage before. */
  tap(look: (item: Out) => unknown): Pipeline<In, Out> {
    return this.#fuse({ kind: 'tap', apply: look as FusedOperator['apply'] })
  }

  #with<I, O>(stage: StageDefinition): Pipeline<I, O> {
    return new Pipeline(this.name, [...this.stages, stage])
  }

  /** Operators belong to the stage before them; before any stage, to the input. */
  #fuse<O>(operator: FusedOperator): Pipeline<In, O> {
    const before = this.stages.at(-1) ?? inputStage()
    const fused = { ...before, operators: [...before.operators, operator] }
    return new Pipeline(this.name, [...this.stages.slice(0, -1), fused])
  }
}

/** Name of the stage that feeds a pipeline without a source from the caller's `input`. */
export const INPUT = 'input'
/** Name of the stage that hands the outputs of a pipeline without a sink to `for await`. */
export const OUTPUT = 'output'

export function inputStage(): StageDefinition {
  return { kind: 'source', name: INPUT, body: undefined, options: { on: 'loop' }, operators: [] }
}

export function outputStage(): StageDefinition {
  return { kind: 'sink', name: OUTPUT, body: undefined, options: { on: 'loop' }, operators: [] }
}

/**
 * Begins a pipeline.
 *
 * @example
 * pipeline('words')
 *   .source('reader', () => ['a', 'b'])
 *   .stage('upper', (word) => word.toUpperCase())
 *   .sink('writer', (word) => console.log(word))
 * pipeline<string>('upper') // one that is fed by `start(..., { input })`
 */
export function pipeline(name: string): EmptyPipeline
export function pipeline<In>(name: string): Pipeline<In, In>
export function pipeline(name: string): unknown {
  return new Pipeline(name)
}
