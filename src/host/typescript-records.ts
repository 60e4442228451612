/**
 * What the module hooks of one thread found and made, as plain data: another thread need not do it again.
 *
 * The main thread imports a pipeline before any worker does. Its hooks record (typescript-recorder.ts); those of a
 * worker play that back (typescript-player.ts) and leave tsx, which takes 20 MB and 50 ms in each thread, unloaded.
 */
import type { LoadFnOutput, ResolveFnOutput, ResolveHookContext } from 'node:module'

export interface Resolution {
  key: string
  found: ResolveFnOutput
}

/** `responseURL` is not in Node's documentation; tsx gives it for CommonJS. */
export type LoadedModule = LoadFnOutput & { responseURL?: string }

export interface LoadedSource {
  url: string
  made: LoadedModule
}

export interface TypescriptRecords {
  resolved: Resolution[]
  loaded: LoadedSource[]
}

/** What the recording hooks are given. */
export interface RecorderData {
  port: import('node:worker_threads').MessagePort
}

/** What the playing hooks are given. */
export interface PlayerData {
  records: TypescriptRecords
  /** URL of tsx's hooks. */
  tsx: string
}

const TYPESCRIPT = /\.[cm]?tsx?(?:$|[?#]|%3f)/i

export function isTypescript(url: string | undefined): boolean {
  return url?.startsWith('file:') === true && TYPESCRIPT.test(url)
}

/** Two resolutions with the same key have the same result. */
export function keyOf(specifier: string, context: ResolveHookContext): string {
  const { parentURL, conditions, importAttributes } = context
  return JSON.stringify([specifier, parentURL, conditions, importAttributes])
}
