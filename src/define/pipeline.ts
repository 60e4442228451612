/** The builder: a typed, immutable blueprint. Plain data and functions; no thread, no queue, no side effect. */
import { MillraceError, show } from '../errors.ts'
import type { Untracked } from '../tracked.ts'
import type { BatchOptions } from './batch-options.ts'
import type { DeadLetter } from './dead-letter.ts'
import { addStage, type Draft, fuse, isEnded, join, type NewStage, settleBatch } from './draft.ts'
import { splitDraft } from './split.ts'
import type { Emitted, FusedOperator, ProcessFunction, SourceBody, StageObject } from './stage-body.ts'
import type { SplitKind, StageDefinition } from './stage-definition.ts'
import type { SourceOptions, StageOptions } from './stage-options.ts'
import type { StreamBody } from './stream-body.ts'

export { INPUT, inputStage, OUTPUT, outputStage } from './builtin-stages.ts'
export type { Feed, SplitKind, StageDefinition, StageKind } from './stage-definition.ts'
export type { SourceOptions } from './stage-options.ts'

const PIPELINE = 'millrace.pipeline/1'

/**
 * What can be started. In: what comes in (`never`: it has a source of its own); Out: what comes out (`never`: every
 * path ends in a sink, and nothing can follow).
 */
export interface Blueprint<In, Out> extends Draft {
  /** In and Out are types only. */
  readonly _flow: (input: In) => Out
  readonly kind: typeof PIPELINE
  /** Sends items that failed where `onError` is 'dead-letter' to a file, as NDJSON. The last call counts. */
  deadLetters(file: string): this
  /** Sends them to a sink of this name. */
  deadLetters<R>(name: string, body: ProcessFunction<DeadLetter, R>, options?: StageOptions<DeadLetter>): this
  deadLetters<R, Resource>(
    name: string,
    body: StageObject<DeadLetter, R, Resource>,
    options?: StageOptions<DeadLetter>,
  ): this
}

/** What a split leaves open: branches that do not end in a sink. */
export interface Split<In, Out> extends Blueprint<In, Out> {
  /** Joins the open branches, and others; items come as they arrive. */
  merge<Others extends readonly Split<never, unknown>[]>(
    ...others: Others
  ): Pipeline<In | InOf<Others[number]>, Out | OutOf<Others[number]>>
}

/** A pipeline that nothing is known of but its name: it begins with a source. */
export type EmptyPipeline = Blueprint<never, never> & Pick<Pipeline<never, never>, 'source'>

export type InOf<P> = P extends { readonly _flow: (input: infer In) => unknown } ? In : never
export type OutOf<P> = P extends { readonly _flow: (input: never) => infer Out } ? Out : never

/** Functions that each go on from the pipeline that they are given. */
export type Branches<In, Out> = Readonly<
  Record<string, (branch: Pipeline<In, Out>) => Blueprint<never, unknown>>
>

/** What a split gives: a blueprint if every branch ends in a sink, else what is open can be merged. */
export type SplitOf<In, B extends Branches<In, never>> = BranchTypes<
  In | InOf<ReturnType<B[keyof B]>>,
  OutOf<ReturnType<B[keyof B]>>
>
type BranchTypes<In, Out> = [Out] extends [never] ? Blueprint<In, never> : Split<In, Out>

/** A blueprint that can go on. */
export class Pipeline<In, Out> implements Split<In, Out> {
  /** In and Out are types only. */
  declare readonly _flow: (input: In) => Out
  readonly kind = PIPELINE
  readonly name: string
  readonly stages: Draft['stages']
  readonly ends: Draft['ends']
  readonly batching: Draft['batching']
  readonly deadLettersTo: Draft['deadLettersTo']

  constructor({ name, stages, ends, batching, deadLettersTo }: Draft) {
    this.name = name
    this.stages = stages
    this.ends = ends
    this.batching = batching
    this.deadLettersTo = deadLettersTo
  }

  /** Also a pipeline made by another copy of this package: a program and its modules may each have their own. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return (value as Pipeline<never, never> | undefined)?.kind === PIPELINE
  }

  /** Begins the pipeline: an iterable, async iterable or Readable, or better a function that makes one. */
  source<T>(name: string, body: SourceBody<T>, options: SourceOptions = {}): Pipeline<never, Untracked<T>> {
    return this.#add({ kind: 'source', name, body, options })
  }

  /**
   * Adds a stage with workers of its own.
   *
   * A function may return the output, `undefined` to drop the item, SENTINEL to end the stream from here, or
   * be a generator of many outputs. An object holds a resource: `{ open, process, flush, close }`.
   */
  stage<R>(name: string, body: ProcessFunction<Out, R>, options?: StageOptions<Out>): Pipeline<In, Emitted<R>>
  stage<R, Resource, F = never>(
    name: string,
    body: StageObject<Out, R, Resource, F>,
    options?: StageOptions<Out>,
  ): Pipeline<In, Emitted<R> | Emitted<F>>
  stage<O>(name: string, body: StreamBody<Out, O>, options?: StageOptions<Out>): Pipeline<In, O>
  stage(name: string, body: unknown, options: StageOptions = {}): Pipeline<In, never> {
    return this.#add({ kind: 'stage', name, body, options })
  }

  /** Ends the pipeline. What the function returns is ignored, but for SENTINEL, which ends the stream. */
  sink<R>(name: string, body: ProcessFunction<Out, R>, options?: StageOptions<Out>): Blueprint<In, never>
  sink<R, Resource>(
    name: string,
    body: StageObject<Out, R, Resource>,
    options?: StageOptions<Out>,
  ): Blueprint<In, never>
  sink(name: string, body: StreamBody<Out, unknown>, options?: StageOptions<Out>): Blueprint<In, never>
  sink(name: string, body: unknown, options: StageOptions = {}): Blueprint<In, never> {
    return this.#add({ kind: 'sink', name, body, options })
  }

  /** Turns each item into another, in the worker of the stage before: no queue, no hop. */
  map<R>(apply: (item: Out) => R): Pipeline<In, Exclude<Awaited<R>, undefined | void>> {
    return this.#fuse('map', apply)
  }

  /** Keeps the items for which it returns true, in the worker of the stage before. */
  filter<Kept extends Out>(keep: (item: Out) => item is Kept): Pipeline<In, Kept>
  filter(keep: (item: Out) => boolean | Promise<boolean>): Pipeline<In, Out>
  filter(keep: (item: Out) => unknown): Pipeline<In, never> {
    return this.#fuse('filter', keep)
  }

  /** Turns each item into any number of others, in the worker of the stage before. */
  flatMap<T>(apply: (item: Out) => Iterable<T> | AsyncIterable<T> | Promise<Iterable<T>>): Pipeline<In, T> {
    return this.#fuse('flatMap', apply)
  }

  /** Looks at each item, in the worker of the stage before. */
  tap(look: (item: Out) => unknown): Pipeline<In, Out> {
    return this.#fuse('tap', look)
  }

  /**
   * Gathers items: what comes next gets arrays of them, each complete when it has so many items or bytes, or some time
   * after its first item, and at the end of the stream. No hop where a stage or a sink comes next.
   *
   * @example
   * .batch({ size: 100, withinMs: 50 }).stage('insert', (rows) => database.insert(rows))
   */
  batch(options: BatchOptions<Out>): Pipeline<In, Out[]> {
    return new Pipeline({ ...settleBatch(this), batching: options ?? {} })
  }

  /** The elements of each item, one by one, in the worker of the stage before. */
  unbatch<T>(this: Pipeline<In, Iterable<T>>): Pipeline<In, T> {
    return this.#fuse('flatMap', (items: Iterable<T>) => items)
  }

  /**
   * Gives every item to every branch.
   *
   * @throws MILLRACE_INVALID_BRANCH
   * @example
   * .broadcast({
   *   store: (items) => items.sink('store', save),
   *   count: (items) => items.batch({ size: 1000 }).sink('count', (batch) => { total += batch.length }),
   * })
   */
  broadcast<B extends Branches<In, Out>>(branches: B): SplitOf<In, B> {
    return this.#split('broadcast', branches, undefined)
  }

  /**
   * Gives each item to one branch: the one whose name the function returns; `undefined` drops the item.
   *
   * @throws MILLRACE_INVALID_BRANCH
   * @example
   * .route((order) => (order.total > 1000 ? 'big' : 'small'), {
   *   big: (orders) => orders.stage('check', check),
   *   small: (orders) => orders,
   * })
   * .merge()
   */
  route<B extends Branches<In, Out>>(
    choose: (item: Out) => (keyof B & string) | undefined,
    branches: B,
  ): SplitOf<In, B> {
    return this.#split('route', branches, choose)
  }

  /**
   * Joins this pipeline and others, each with a source of its own; items come as they arrive.
   *
   * @throws MILLRACE_INVALID_MERGE
   */
  merge<Others extends readonly Split<never, unknown>[]>(
    ...others: Others
  ): Pipeline<In | InOf<Others[number]>, Out | OutOf<Others[number]>> {
    for (const joined of [this, ...others]) {
      const isOpen = joined instanceof Pipeline && !isEnded(joined)
      if (isOpen) continue
      const what = joined instanceof Pipeline ? 'ends in a sink' : `is none: ${show(joined)}`
      const message = `pipeline "${this.name}": merge() joins pipelines that are open, and one ${what}`
      throw new MillraceError('MILLRACE_INVALID_MERGE', message)
    }
    return new Pipeline(join(this, others))
  }

  deadLetters(file: string): this
  deadLetters<R>(name: string, body: ProcessFunction<DeadLetter, R>, options?: StageOptions<DeadLetter>): this
  deadLetters<R, Resource>(
    name: string,
    body: StageObject<DeadLetter, R, Resource>,
    options?: StageOptions<DeadLetter>,
  ): this
  deadLetters(fileOrName: string, ...rest: [body?: unknown, options?: StageOptions]): this {
    const to = rest.length === 0 ? fileOrName : deadLetterStage(fileOrName, ...rest)
    return new Pipeline({ ...(this as Draft), deadLettersTo: to }) as this
  }

  #add<I, O>(stage: NewStage): Pipeline<I, O> {
    return new Pipeline(addStage(this, stage))
  }

  #fuse<O>(kind: FusedOperator['kind'], apply: (item: never) => unknown): Pipeline<In, O> {
    return new Pipeline(fuse(this, { kind, apply: apply as FusedOperator['apply'] }))
  }

  #split<B extends Branches<In, Out>>(split: SplitKind, branches: B, choose: unknown): SplitOf<In, B> {
    const begin = (draft: Draft): unknown => new Pipeline(draft)
    const isDraft = (value: unknown): value is Draft => value instanceof Pipeline
    const draft = splitDraft(this, split, branches, choose, begin, isDraft)
    return new Pipeline(draft) as unknown as SplitOf<In, B>
  }
}

function deadLetterStage(name: string, body: unknown, options: StageOptions = {}): StageDefinition {
  return { kind: 'sink', name, body, options, operators: [], from: [], takesDeadLetters: true }
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
  return new Pipeline({ name, stages: [], ends: [], batching: undefined, deadLettersTo: undefined })
}
