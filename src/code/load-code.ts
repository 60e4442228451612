/** Runs a script of ours from V8's code for it, as far as that was kept, and keeps what was compiled besides. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { isMainThread } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { codeCacheFolder, readCode, writeCode } from './code-cache.ts'
import { hearUses } from './uses.ts'

/** What the script is: a function of what a module has and a script has not. */
type Body = (
  builtin: (name: string) => unknown,
  url: string,
  resolve: (name: string) => string,
  load: (name: string) => Promise<object>,
) => object

/** The module in whose place the script stands. */
export interface ScriptHome {
  readonly meta: ImportMeta
  /** Its `import()`: for that of a script Node 20 asks for an experimental feature. */
  readonly load: (name: string) => Promise<object>
  /** A file beside it: one expression, a function. */
  readonly script: string
  /** Of that file's text: V8 looks at no more than its length. */
  readonly hash: string
}

/** @returns what the script gives: an object of all its exports */
export function loadCode({ script: name, hash, meta, load }: ScriptHome): object {
  const filename = fileURLToPath(new URL(name, meta.url))
  const folder = codeCacheFolder(path.dirname(filename))
  const file = folder && path.join(folder, nameOf(filename, hash))
  const kept = file === undefined ? undefined : readCode(file)
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(kept && { cachedData: kept.code }),
  })
  if (file !== undefined) {
    const uses = script.cachedDataRejected === false ? (kept?.uses ?? []) : []
    hearUses(uses, (all) => writeCode(file, { uses: all, code: script.createCachedData() }))
  }
  const body = script.runInThisContext() as Body
  return body(process.getBuiltinModule, meta.url, meta.resolve, load)
}

/** V8 keeps the script's own place with its code, for the stacks of errors. */
function nameOf(filename: string, hash: string): string {
  const place = crc32(filename).toString(16)
  return [hash, place, process.version, process.arch, isMainThread ? 'main' : 'worker'].join('-')
}
