/** From a module's URL to its pipeline: the same in the thread that plans and in every worker. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PipelineModule } from '../define/define-pipeline.ts'
import { Pipeline } from '../define/pipeline.ts'
import { MillraceError, show } from '../errors.ts'
import { fillPipelineOptions } from '../plan/pipeline-options.ts'
import { prepareFor } from './typescript.ts'

export type AnyPipeline = Pipeline<never, never>
export type Options = Readonly<Record<string, unknown>>

/**
 * What a module exports.
 * @throws MILLRACE_MODULE_NOT_FOUND, MILLRACE_MODULE_FAILED, MILLRACE_TYPESCRIPT, MILLRACE_NO_DEFAULT_EXPORT
 */
export async function importExport(url: string, name: string): Promise<unknown> {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url
  if (url.startsWith('file:') && !existsSync(new URL(url))) {
    throw new MillraceError('MILLRACE_MODULE_NOT_FOUND', `there is no file ${file}`)
  }
  await prepareFor(url)
  const exported = await import(url).catch((cause: unknown) => {
    throw new MillraceError('MILLRACE_MODULE_FAILED', `${file} could not be loaded: ${textOf(cause)}`, {
      cause,
    })
  })
  if (name in exported) return exported[name]
  const what = name === 'default' ? 'no default export' : `no export "${name}"`
  throw new MillraceError('MILLRACE_NO_DEFAULT_EXPORT', `${file} has ${what}`)
}

/** The pipeline that an export is, or makes from the options. */
export async function buildPipeline(
  exported: unknown,
  options: Options,
  subject: string,
): Promise<AnyPipeline> {
  const built = await build(exported, options, subject)
  if (built instanceof Pipeline) return built as unknown as AnyPipeline
  throw new MillraceError('MILLRACE_NOT_A_PIPELINE', `${subject} must export a pipeline, got ${show(built)}`)
}

async function build(exported: unknown, options: Options, subject: string): Promise<unknown> {
  if (exported instanceof PipelineModule) {
    const { table } = exported
    const filled = table === undefined ? options : fillPipelineOptions(table, options, subject)
    return exported.build(filled as never)
  }
  return typeof exported === 'function' ? exported(options) : exported
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause)
}
