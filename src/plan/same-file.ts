/** Whether a pipeline would write the file that it reads: what it has not read yet would be gone. */
import { type BigIntStats, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileOf } from '../define/file-use.ts'
import type { StageDefinition } from '../define/stage-definition.ts'
import { MillraceError, show } from '../errors.ts'

/** @throws MILLRACE_INVALID_OPTION */
export function checkNothingReadIsWritten(stages: readonly StageDefinition[]): void {
  const readers = new Map<string, string>()
  for (const stage of stages) {
    const id = stage.kind === 'source' ? idOf(stage) : undefined
    if (id !== undefined) readers.set(id, stage.name)
  }
  if (readers.size === 0) return
  for (const stage of stages) {
    const id = stage.kind === 'source' ? undefined : idOf(stage)
    const reader = id === undefined ? undefined : readers.get(id)
    if (reader === undefined) continue
    throw new MillraceError(
      'MILLRACE_INVALID_OPTION',
      `stage "${stage.name}": file cannot be ${show(fileOf(stage.body))}: source "${reader}" reads that file, which would be emptied under it`,
      { stage: stage.name, option: 'file' },
    )
  }
}

/** Of the file that it reads or writes, the same by whatever path; undefined: it has none, or it is not there yet. */
function idOf({ body, options }: StageDefinition): string | undefined {
  const file = fileOf(body)
  if (file === undefined) return undefined
  const place = path.resolve(folderOf(options), file.replace(/^file:/, ''))
  const found = statOf(place)
  // What is written into a device or a pipe takes nothing from who reads it.
  return found?.isFile() ? `${found.dev}:${found.ino}` : undefined
}

function statOf(place: string): BigIntStats | undefined {
  try {
    return statSync(place, { bigint: true })
  } catch {
    // It is not there, or no path: a URL, the graph of a generator.
    return undefined
  }
}

/** Where it runs. */
function folderOf(options: StageDefinition['options']): string {
  const cwd = options?.on === 'process' ? options.cwd : undefined
  return cwd instanceof URL ? fileURLToPath(cwd) : (cwd ?? '.')
}
