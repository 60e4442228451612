/** From FILE and its arguments to a pipeline: for every command that needs one. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ADVICE, MillraceError, show } from '../errors.ts'
import { buildPipeline, importExport } from '../host/load-pipeline.ts'
import type { Loaded } from '../run/prepare.ts'
import { type CommandLine, usage } from './command-line.ts'
import { findKnownOptions, type KnownOptions } from './known-options.ts'
import { readOptions } from './read-options.ts'

export interface PipelineFile {
  /** As it was typed. */
  file: string
  url: string
  exported: unknown
  known: KnownOptions
}

/** @throws what `importExport` throws; MILLRACE_USAGE */
export async function openPipelineFile({ command, file }: CommandLine): Promise<PipelineFile> {
  if (file === undefined) throw usage(`millrace ${command} needs a FILE`)
  const url = file.startsWith('file:') ? new URL(file).href : pathToFileURL(resolve(file)).href
  const exported = await importExport(url, 'default').catch(addPlace(url))
  return { file, url, exported, known: findKnownOptions(exported) }
}

/** @throws what `readOptions` and `buildPipeline` throw */
export async function buildFromFile(from: PipelineFile, args: readonly string[]): Promise<Loaded> {
  const { file, url, exported, known } = from
  const options = readOptions(args, known, file)
  try {
    return { pipeline: await buildPipeline(exported, options, file), url, options }
  } catch (cause) {
    if (isOurs(cause)) throw cause
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause)
    throw new MillraceError('MILLRACE_MODULE_FAILED', `${file} could not build its pipeline: ${text}`, {
      cause,
    })
  }
}

/** Node says where a syntax error is only when a program ends by it. */
function addPlace(url: string): (error: unknown) => Promise<never> {
  return async (error) => {
    const cause = error instanceof Error ? error.cause : undefined
    if (cause instanceof SyntaxError && cause.stack?.startsWith('SyntaxError')) {
      const { findSyntaxError } = await import('./find-syntax-error.ts')
      cause.stack = [...findSyntaxError(url), cause.stack].join('\n')
    }
    throw error
  }
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && 'code' in error && Object.hasOwn(ADVICE, String(error.code))
}
