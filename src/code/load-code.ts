/** Runs a script of ours from V8's code for it, as far as that was kept, and keeps what was compiled besides. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { isMainThread } from 'node:worker_threads'
import { codeCacheFolder } from './cache-folder.ts'
import { type CachedCode, codeFile, readCode, writeCode } from './code-cache.ts'
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
  /** Of that file's text. */
  readonly hash: string
}

/** @returns what the script gives: an object of all its exports */
export function loadCode({ script: name, hash, meta, load }: ScriptHome): object {
  const filename = fileURLToPath(new URL(name, meta.url))
  const file = orNothing(() => findFile(filename, hash))
  const kept = file === undefined ? undefined : readCode(file)
  // What outlives this function holds these, and not the code itself.
  const known = kept?.uses ?? []
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(kept && { cachedData: kept.code }),
  })
  // Code of a V8 with other flags stays as it is: else two that take turns would write it each time.
  if (file !== undefined && script.cachedDataRejected !== true) {
    orNothing(() => hearUses(known, (uses) => keep(file, script, uses)))
  }
  const body = script.runInThisContext() as Body
  return body(process.getBuiltinModule, meta.url, meta.resolve, load)
}

function findFile(filename: string, hash: string): string | undefined {
  const folder = codeCacheFolder(path.dirname(filename))
  return folder && codeFile(folder, { hash, filename, isMain: isMainThread })
}

function keep(file: string, script: Script, uses: CachedCode['uses']): void {
  const code = orNothing(() => script.createCachedData())
  if (code !== undefined) writeCode(file, { uses, code })
}

/** Files may be out of reach, and globals closed: then nothing is kept. */
function orNothing<T>(attempt: () => T): T | undefined {
  try {
    return attempt()
  } catch {
    return undefined
  }
}
