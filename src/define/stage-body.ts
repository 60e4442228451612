/** What a user may write as a source, a stage or a sink, and the context it is given. */
import type { Sentinel } from '../sentinel.ts'
import type { StageOptions } from './stage-options.ts'

/** Where `ctx.log` writes. `console` and pino fit as they are. */
export interface Logger {
  debug(...message: unknown[]): void
  info(...message: unknown[]): void
  warn(...message: unknown[]): void
  error(...message: unknown[]): void
}

/** What a process function is given beside its item. One object per worker; its fields change. */
export interface StageContext {
  /** Name of the pipeline. */
  readonly pipeline: string
  /** Name of the stage. */
  readonly stage: string
  /** Number of this worker within its stage, from 0. */
  readonly worker: number
  /** Number, at the source, of the item in hand, from 1; 0 outside `process`. */
  readonly item: number
  /** How often this item was tried before, plus 1. */
  readonly attempt: number
  /**
   * Aborted when this worker should leave: on abort; for a source already on drain. Its event fires on the
   * event loop; `signal.aborted` is also true, at once, inside a function that blocks it.
   */
  readonly signal: AbortSignal
  readonly log: Logger
  /**
   * Where runs are traced (`millrace/otel`): the span that what is done here belongs to, as the header `traceparent` has it;
   * flagged as sampled if the item in hand is.
   */
  readonly traceparent: string | undefined
  /** Of a source with a checkpoint: where to go on, as `track` had it; undefined: at the beginning. */
  readonly position: unknown
  /**
   * Memory for large binaries (from 4,096 bytes on), which a stage passes on by reference: in an item, as this view or as
   * another one of the same memory, it is not copied. What is in it at first is not defined.
   *
   * It is yours until the function that asked for it returns (in a source: until it is yielded) or it is passed on; its
   * reader has it until its own function returns, and may pass it on. Who passed it on leaves it alone. To keep
   * something, copy it: `view.slice()`. When `slabBytes` are in use, a thread waits for some to come back; where it
   * cannot, this is ordinary memory, which is copied.
   * @throws MILLRACE_INVALID_OPTION
   */
  alloc(bytes: number): Uint8Array
}

/** Options that a body may have an opinion on. */
export type StageDefaults = Pick<StageOptions, 'on' | 'concurrency' | 'nativeThreads' | 'order' | 'restart'>

type Awaitable<T> = T | Promise<T>

/** What comes out of a process function that returns R: without `undefined` (dropped) and SENTINEL (the end). */
export type Emitted<R> =
  R extends Generator<infer Y, unknown, unknown>
    ? Exclude<Y, undefined | void | Sentinel>
    : R extends AsyncGenerator<infer Y, unknown, unknown>
      ? Exclude<Y, undefined | void | Sentinel>
      : Exclude<Awaited<R>, undefined | void | Sentinel>

/** One item in; the output, `undefined` to drop it, SENTINEL to end the stream, or a generator of outputs. */
export type ProcessFunction<I, R> = (item: I, ctx: StageContext) => R

/** A stage that holds a resource: a model, a file, a connection. */
export interface StageObject<I, R, Resource, F = unknown> {
  /** Options of the stage that it would have; those that the stage is given go before them. */
  defaults?: StageDefaults
  /** It takes its items one after the other, in one worker: `workers`, `maxWorkers` and `concurrency` over 1 are refused. */
  isSequential?: true
  /** Makes the resource, once in each worker, before the first item. */
  open?: (ctx: StageContext) => Awaitable<Resource>
  process: (item: I, resource: Resource, ctx: StageContext) => R
  /** Called at the end of the stream; may return or yield more outputs. Not called on abort. */
  flush?: (resource: Resource, ctx: StageContext) => F
  /** Always called once `open` has succeeded, on abort too. */
  close?: (resource: Resource, ctx: StageContext) => Awaitable<unknown>
}

export type SourceValue<T> = Iterable<T> | AsyncIterable<T>

/** A source that holds a resource. */
export interface SourceObject<T> {
  /** Makes what the items are read from. */
  items: (ctx: StageContext) => Awaitable<SourceValue<T>>
  /** Always called in the end, on abort too. */
  close?: (ctx: StageContext) => Awaitable<unknown>
}

/** Gives the items: an iterable, an async iterable (a Readable is one), or a function or an object that makes one. */
export type SourceBody<T> =
  | SourceValue<T>
  | ((ctx: StageContext) => Awaitable<SourceValue<T>>)
  | SourceObject<T>

/** Done to each output of a stage, in the worker of that stage: no queue, no hop. */
export interface FusedOperator {
  readonly kind: 'map' | 'filter' | 'flatMap' | 'tap'
  readonly apply: (item: unknown) => unknown
}
