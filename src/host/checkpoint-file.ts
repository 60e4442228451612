/**
 * Where a source was: a file that is whole at every moment, whatever is killed while it is written.
 *
 * Written aside, brought to the disk, and renamed over the old one: a reader finds the old file or the new one.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, unlinkSync } from 'node:fs'
import path from 'node:path'
import { MillraceError, show } from '../errors.ts'
import { writeAllSync } from './write-sync.ts'

const SCHEMA = 'millrace.checkpoint/1'

export interface Checkpoint {
  schema: typeof SCHEMA
  pipeline: string
  /** Name of the source. */
  source: string
  /** What the source gave with the newest item that is final, as all items before it are. */
  position: unknown
  /** How many items of the run that wrote it were final. */
  items: number
}

export interface CheckpointFileOptions {
  pipeline: string
  source: string
  /** Least time between two writes, in milliseconds. */
  everyMs: number
}

/**
 * What was written there last; undefined if there is no such file.
 * @param owner whose it must be. Default: anybody's
 * @throws MILLRACE_BAD_CHECKPOINT if it is no checkpoint, or another source's; MILLRACE_CHECKPOINT_FAILED if it cannot
 *   be read
 */
export function readCheckpoint(
  file: string,
  owner?: { pipeline: string; source: string },
): Checkpoint | undefined {
  const text = readText(file)
  if (text === undefined) return undefined
  const checkpoint = parse(file, text)
  const { pipeline, source } = checkpoint
  if (owner === undefined || (owner.pipeline === pipeline && owner.source === source)) return checkpoint
  throw new MillraceError(
    'MILLRACE_BAD_CHECKPOINT',
    `checkpoint ${file} is that of source "${source}" of pipeline "${pipeline}", ` +
      `not of source "${owner.source}" of pipeline "${owner.pipeline}"`,
    { stage: owner.source },
  )
}

export class CheckpointFile {
  readonly #file: string
  readonly #options: CheckpointFileOptions
  /** Not written yet. */
  #noted: { position: unknown; items: number } | undefined
  #writtenMs = Number.NEGATIVE_INFINITY

  constructor(file: string, options: CheckpointFileOptions) {
    // The working directory may be another one later.
    this.#file = path.resolve(file)
    this.#options = options
  }

  /**
   * The source is here now; written by `writeIfDue` or `flush`.
   * @param position must not change afterwards
   * @param items how many items are final
   */
  note(position: unknown, items: number): void {
    this.#noted = { position, items }
  }

  /** When `writeIfDue` will write; Infinity if there is nothing to write. */
  nextDueMs(): number {
    return this.#noted === undefined ? Number.POSITIVE_INFINITY : this.#writtenMs + this.#options.everyMs
  }

  /**
   * Writes what was noted last, unless it is written, or something was less than `everyMs` ago. Whether it did.
   * @param nowMs by a clock that never goes back
   * @throws MILLRACE_BAD_CHECKPOINT if JSON would change the position; MILLRACE_CHECKPOINT_FAILED
   */
  writeIfDue(nowMs: number): boolean {
    if (nowMs < this.nextDueMs()) return false
    this.#writtenMs = nowMs
    this.flush()
    return true
  }

  /** Writes what was noted last, if it is not written. @throws as `writeIfDue` */
  flush(): void {
    const noted = this.#noted
    if (noted === undefined) return
    const { pipeline, source } = this.#options
    const place = { pipeline, source }
    const checkpoint: Checkpoint = { schema: SCHEMA, ...place, position: noted.position, items: noted.items }
    const text = `${toJson(checkpoint)}\n`
    try {
      writeAtomically(this.#file, Buffer.from(text))
    } catch (cause) {
      const message = `checkpoint ${this.#file} could not be written: ${(cause as Error).message}`
      throw new MillraceError('MILLRACE_CHECKPOINT_FAILED', message, { stage: source, cause })
    }
    this.#noted = undefined
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const message = `checkpoint ${file} could not be read: ${(cause as Error).message}`
    throw new MillraceError('MILLRACE_CHECKPOINT_FAILED', message, { cause })
  }
}

function parse(file: string, text: string): Checkpoint {
  let value: Partial<Checkpoint> | null
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const message = `checkpoint ${file} is no JSON: ${(cause as Error).message}`
    throw new MillraceError('MILLRACE_BAD_CHECKPOINT', message, { cause })
  }
  if (typeof value === 'object' && value?.schema === SCHEMA && 'position' in value) return value as Checkpoint
  throw new MillraceError('MILLRACE_BAD_CHECKPOINT', `checkpoint ${file} is no checkpoint: ${show(value)}`)
}

function toJson(checkpoint: Checkpoint): string {
  const refused = (why: string): MillraceError =>
    new MillraceError(
      'MILLRACE_BAD_CHECKPOINT',
      `source "${checkpoint.source}": position ${show(checkpoint.position)} cannot be kept as JSON: ${why}`,
      { stage: checkpoint.source },
    )
  try {
    const text = JSON.stringify(checkpoint)
    const change = findChange(checkpoint.position, JSON.parse(text).position, 'position')
    if (change === undefined) return text
    throw refused(change)
  } catch (error) {
    // Cycles, bigints, depth: what JSON itself says is clear enough.
    throw error instanceof MillraceError ? error : refused(String((error as Error).message).split('\n', 1)[0])
  }
}

/** What is not the same in the copy; undefined if all is. */
function findChange(value: unknown, copy: unknown, place: string): string | undefined {
  if (typeof value !== 'object' || value === null || typeof copy !== 'object' || copy === null) {
    return Object.is(value, copy) ? undefined : `${place} would become ${show(copy)}`
  }
  const keys = Object.keys(value)
  const isList = Array.isArray(value)
  if (isList !== Array.isArray(copy) || keys.length !== Object.keys(copy).length || !isPlain(value)) {
    return `${place} would become ${show(copy)}`
  }
  for (const key of keys) {
    const [was, is] = [value, copy].map((object) => (object as Record<string, unknown>)[key])
    const change = findChange(was, is, isList ? `${place}[${key}]` : `${place}.${key}`)
    if (change !== undefined) return change
  }
  return undefined
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null || Array.isArray(value)
}

function writeAtomically(file: string, bytes: Uint8Array): void {
  // One name, not a new one each time: a process that is killed leaves at most one behind.
  const aside = `${file}.tmp`
  try {
    withFile(aside, 'w', (fd) => {
      writeAllSync(fd, bytes)
      fsyncSync(fd)
    })
    renameSync(aside, file)
  } catch (error) {
    removeQuietly(aside)
    throw error
  }
  synchroniseDirectory(path.dirname(file))
}

/** So that the new name outlives a loss of power. */
function synchroniseDirectory(directory: string): void {
  // Windows opens no directories; there, renaming is journalled.
  if (process.platform === 'win32') return
  try {
    withFile(directory, 'r', fsyncSync)
  } catch (error) {
    // Some file systems, of networks above all, synchronise no directories.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EINVAL', 'ENOTSUP', 'EACCES', 'EPERM'].includes(code)) throw error
  }
}

function withFile(file: string, flags: string, use: (fd: number) => void): void {
  const fd = openSync(file, flags)
  try {
    use(fd)
  } finally {
    closeSync(fd)
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // It was never made.
  }
}
