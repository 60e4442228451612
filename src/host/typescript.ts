/**
 * Lets this thread import TypeScript files.
 *
 * Node 22.18 and later strip types themselves. Before that, tsx does it, through its register API: `--import tsx`
 * does not reach workers on Node 20. When this very file runs as TypeScript, someone has seen to it already.
 *
 * What tsx finds and makes in the thread that plans is recorded, and workers play it back: typescript-records.ts.
 */
import module from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { codeCacheFolder } from '../code/cache-folder.ts'
import { MillraceError } from '../errors.ts'
import { isSource, ownFile } from './own-files.ts'
import type {
  LoadedSource,
  PlayerData,
  RecorderData,
  Resolution,
  TypescriptRecords,
} from './typescript-records.ts'

/** Whether Node strips types itself. */
const isNative = Boolean((process.features as { typescript?: unknown }).typescript)
let isRegistered = isSource || isNative
let recorder: MessagePort | undefined
let records: TypescriptRecords | undefined

/** @throws MILLRACE_TYPESCRIPT if the module is TypeScript and nothing here can load it */
export async function prepareFor(url: string): Promise<void> {
  if (!/\.[cm]?tsx?$/.test(new URL(url).pathname)) return
  if (isNative) keepStripped()
  if (isRegistered) return
  try {
    const { register } = (await import('tsx/esm/api')) as { register: () => void }
    // By another start, meanwhile.
    if (isRegistered) return
    // The last registered is the first asked.
    module.register(ownFile('typescript-format'))
    register()
    isRegistered = true
  } catch (cause) {
    throw new MillraceError(
      'MILLRACE_TYPESCRIPT',
      `Node ${process.versions.node} cannot load ${url}: it is TypeScript`,
      {
        cause,
      },
    )
  }
  // Where Node has synchronous hooks, tsx may use them, and they are not in the chain of those recorded here.
  if (!('registerHooks' in module)) record()
}

/** Else each thread loads Node's parser for it, and strips the same files anew: some 30 ms. */
function keepStripped(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown }
  try {
    const folder = codeCacheFolder(path.dirname(fileURLToPath(import.meta.url)))
    if (folder !== undefined) enableCompileCache?.(path.join(folder, 'typescript'))
  } catch {
    // Where to look for a folder is not allowed either.
  }
}

function record(): void {
  const { port1, port2 } = new MessageChannel()
  recorder = port1
  const data: RecorderData = { port: port2 }
  module.register(ownFile('typescript-recorder'), { data, transferList: [port2] })
}

/** What a worker started now is to play back; none: it is to see for itself. */
export function recordedTypescript(): TypescriptRecords | undefined {
  if (recorder === undefined) return records
  records ??= { resolved: [], loaded: [] }
  for (let next = receiveMessageOnPort(recorder); next; next = receiveMessageOnPort(recorder)) {
    const message = next.message as Resolution | LoadedSource
    if ('key' in message) records.resolved.push(message)
    else records.loaded.push(message)
  }
  return records
}

/** Has this thread play back what another recorded, in place of tsx. */
export function playTypescript(given: TypescriptRecords): void {
  records = given
  isRegistered = true
  const data: PlayerData = { records, tsx: import.meta.resolve('tsx/esm') }
  module.register(ownFile('typescript-player'), { data })
  // As tsx does: errors tell the lines of the TypeScript files.
  process.setSourceMapsEnabled(true)
}
