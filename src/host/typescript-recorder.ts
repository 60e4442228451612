/** Module hooks around tsx's: they change nothing, and tell the thread what tsx found and made. */
import { readFileSync } from 'node:fs'
import { isBuiltin, type LoadHook, type ResolveHook } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import {
  isTypescript,
  keyOf,
  type LoadedModule,
  type LoadedSource,
  type RecorderData,
  type Resolution,
} from './typescript-records.ts'

let port: MessagePort

export function initialize(data: RecorderData): void {
  port = data.port
}

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  if (isBuiltin(specifier)) return nextResolve(specifier, context)
  // Asked for first: hooks that come later in the chain write to the context.
  const key = keyOf(specifier, context)
  const { parentURL } = context
  const found = await nextResolve(specifier, context)
  const isByUser = !parentURL?.includes('/node_modules/')
  if (isByUser || isTypescript(parentURL) || isTypescript(found.url))
    port.postMessage({ key, found } satisfies Resolution)
  return found
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded: LoadedModule = await nextLoad(url, context)
  const { format, source, responseURL } = loaded
  const text = source === undefined || source === null ? undefined : textOf(source)
  if (!isTypescript(url) && (text === undefined || text === rawTextOf(url))) return loaded
  const made: LoadedModule = { format, shortCircuit: true }
  if (text !== undefined) made.source = text
  if (responseURL !== undefined) made.responseURL = responseURL
  port.postMessage({ url, made } satisfies LoadedSource)
  return loaded
}

function textOf(source: NonNullable<LoadedModule['source']>): string {
  return typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
}

/** What the file holds; none: it is no file that can be read. */
function rawTextOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined
  try {
    return readFileSync(new URL(url), 'utf8')
  } catch {
    return undefined
  }
}
