/** From FILE and its arguments to a pipeline: for every command that needs one. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ADVICE, MillraceError, show } from '../errors.ts'
import { buildPipeline, importExport } from '../host/load-pipeline.ts'
import type { Loaded } from '../run/prepare.ts'
import { type CommandLine, usage } from './command-line.ts'
import { WRONG_USAGE } from './exit-code.ts'
import { type ExitCause, watchExit } from './exit-watch.ts'
import { findKnownOptions, type KnownOptions } from './known-options.ts'
import { readOptions } from './read-options.ts'
import { tellError } from './tell-error.ts'

export interface PipelineFile {
  line: CommandLine
  /** As it was typed. */
  file: string
  url: string
  exported: unknown
  known: KnownOptions
}

/** @throws what `importExport` throws; MILLRACE_USAGE */
export async function openPipelineFile(line: CommandLine): Promise<PipelineFile> {
  const { command, file } = line
  if (file === undefined) throw usage(`millrace ${command} needs a FILE`)
  const url = file.startsWith('file:') ? new URL(file).href : pathToFileURL(resolve(file)).href
  const exported = await whileLoading(file, line, () => importExport(url, 'default')).catch(addPlace(url))
  return { line, file, url, exported, known: findKnownOptions(exported) }
}

/** @throws what `readOptions` and `buildPipeline` throw */
export async function buildFromFile(from: PipelineFile, args: readonly string[]): Promise<Loaded> {
  const { line, file, url, exported, known } = from
  const options = readOptions(args, known, file)
  try {
    const pipeline = await whileLoading(file, line, () => buildPipeline(exported, options, file))
    return { pipeline, url, options }
  } catch (cause) {
    if (isOurs(cause)) throw cause
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause)
    throw new MillraceError('MILLRACE_MODULE_FAILED', `${file} could not build its pipeline: ${text}`, {
      cause,
    })
  }
}

const ENDED: Readonly<Record<ExitCause, string>> = {
  exit: 'ended the process (process.exit) while it was being loaded',
  unsettled: 'never finished loading: it awaits something that never comes',
  uncaught: 'threw an error that nobody caught while it was being loaded',
}

/** The user's module may end the process, or wait for ever, before there is anything to run. */
async function whileLoading<T>(file: string, line: CommandLine, load: () => Promise<T>): Promise<T> {
  const forget = watchExit((cause) => {
    tellError(new MillraceError('MILLRACE_MODULE_FAILED', `${file} ${ENDED[cause]}`), line)
    return WRONG_USAGE
  })
  try {
    return await load()
  } finally {
    forget()
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
