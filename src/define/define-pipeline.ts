/** A pipeline's module: where it lies, which options it takes, how it is built from them. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import type { Blueprint } from './pipeline.ts'

/** An option of a pipeline, as the command line and `start` check it. */
export interface PipelineOption {
  type: 'string' | 'number' | 'integer' | 'boolean'
  /** Makes the option optional. */
  default?: string | number | boolean
  /** Makes the option optional without a default. */
  optional?: true
  /** Least value of a number. */
  min?: number
  /** Greatest value of a number. */
  max?: number
  /** One line for --help. */
  doc?: string
}

export type PipelineOptionTable = Readonly<Record<string, PipelineOption>>

type ValueOf<O extends PipelineOption> = O['type'] extends 'string'
  ? string
  : O['type'] extends 'boolean'
    ? boolean
    : number
type IsOptional<O extends PipelineOption> = O extends { default: unknown } | { optional: true } ? true : false

/** What the table's options look like to the function that builds the pipeline. */
export type BuiltOptions<T extends PipelineOptionTable> = {
  [K in keyof T]: T[K] extends { optional: true } ? ValueOf<T[K]> | undefined : ValueOf<T[K]>
}

/** What the table's options look like to whoever starts the pipeline. */
export type GivenOptions<T extends PipelineOptionTable> = {
  [K in keyof T as IsOptional<T[K]> extends true ? never : K]: ValueOf<T[K]>
} & { [K in keyof T as IsOptional<T[K]> extends true ? K : never]?: ValueOf<T[K]> | undefined }

/** What `definePipeline` returns: export it as the default of its module. */
export class PipelineModule<Options, In, Out> {
  /** Types only. */
  declare readonly _types: (options: Options, input: In) => Out
  readonly kind = MODULE
  readonly url: string
  readonly table: PipelineOptionTable | undefined
  readonly build: (options: never) => Blueprint<In, Out>

  constructor(
    url: string,
    table: PipelineOptionTable | undefined,
    build: (options: never) => Blueprint<In, Out>,
  ) {
    this.url = url
    this.table = table
    this.build = build
  }

  /** Also one made by another copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return (value as PipelineModule<never, never, never> | undefined)?.kind === MODULE
  }
}

const MODULE = 'millrace.module/1'

/**
 * Says where a pipeline's module lies, so that it can be started by importing it: options and outputs stay typed.
 *
 * With a table, options are checked before any thread starts and the command line knows them.
 *
 * @example
 * export default definePipeline(import.meta.url, { file: { type: 'string' } }, ({ file }) =>
 *   pipeline('words').source('reader', () => readLines(file)).sink('writer', (line) => console.log(line)))
 */
export function definePipeline<const T extends PipelineOptionTable, In, Out>(
  url: string,
  table: T,
  build: (options: BuiltOptions<T>) => Blueprint<In, Out>,
): PipelineModule<GivenOptions<T>, In, Out>
export function definePipeline<Options, In, Out>(
  url: string,
  build: (options: Options) => Blueprint<In, Out>,
): PipelineModule<Options, In, Out>
export function definePipeline(
  url: string,
  tableOrBuild: PipelineOptionTable | ((options: never) => Blueprint<unknown, unknown>),
  build?: (options: never) => Blueprint<unknown, unknown>,
): PipelineModule<unknown, unknown, unknown> {
  if (typeof tableOrBuild === 'function') return new PipelineModule(url, undefined, tableOrBuild)
  return new PipelineModule(url, tableOrBuild, build as (options: never) => Blueprint<unknown, unknown>)
}

/** Whether the module is the program that was started, in its main thread: for a module that also runs itself. */
export function isMain(meta: ImportMeta): boolean {
  const started = process.argv[1]
  if (!isMainThread || started === undefined) return false
  try {
    return realpathSync(fileURLToPath(meta.url)) === realpathSync(started)
  } catch {
    return false
  }
}
