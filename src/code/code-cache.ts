/**
 * V8's code for a script, kept in a file between processes: a thread that starts from it compiles nothing that another
 * one has compiled before. Each of our threads loads the same half megabyte of script; to compile it, and then each
 * function at its first call, takes several times as long as to read what was compiled.
 *
 * V8 takes such code on trust: the file carries a checksum, and lies where the package's own files lie, so whoever could
 * change it could change those. It is a gift, never a need: whatever fails here is passed over in silence.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'

const MAGIC = 0x4d_43_43_31
/** Magic, checksum of all that follows it, bytes of the uses. */
const HEAD_BYTES = 12
const ALIGNMENT = 8
/** Whoever writes takes less; what is older was left by a process that was killed. */
const LONGEST_WRITE_MS = 60_000
/** Of another version of Node or of this package, perhaps; who still uses it makes it anew. */
const KEPT_MS = 30 * 24 * 3_600_000
/** Names that `codeFile` gives: no other file of the folder is ours. */
const OWN_NAME = /^core-[0-9a-f]{16}-[0-9a-f]{1,8}-v\d[^-]*-\w+-(?:main|worker)(?:\.tmp)?$/

/** Which code it is: made of this text, of a script in this place, for a main thread or a worker. */
export interface CodeName {
  /** Of the script's text, in 16 hexadecimal digits: V8 looks at no more than its length. */
  readonly hash: string
  /** V8 keeps it with the code, for the stacks of errors. */
  readonly filename: string
  readonly isMain: boolean
}

export interface CachedCode {
  /** What its process had done when it was saved: the functions for that are in it. */
  readonly uses: readonly string[]
  readonly code: Buffer
}

/** Its file in that folder. */
export function codeFile(folder: string, { hash, filename, isMain }: CodeName): string {
  const place = crc32(filename).toString(16)
  const { version, arch } = process
  return path.join(folder, ['core', hash, place, version, arch, isMain ? 'main' : 'worker'].join('-'))
}

/** @returns undefined: there is none, or it is broken */
export function readCode(file: string): CachedCode | undefined {
  try {
    const whole = readFileSync(file)
    const at = codeAt(whole.readUInt32LE(8))
    if (whole.readUInt32LE(0) !== MAGIC || at > whole.length) return undefined
    if (whole.readUInt32LE(4) !== crc32(whole.subarray(8))) return undefined
    const uses = whole.toString('latin1', HEAD_BYTES, HEAD_BYTES + whole.readUInt32LE(8))
    return { uses: uses.split('\n'), code: whole.subarray(at) }
  } catch {
    return undefined
  }
}

/** Keeps it, unless another thread or process is just keeping its own. */
export function writeCode(file: string, { uses, code }: CachedCode): void {
  const aside = `${file}.tmp`
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    if (existsSync(aside) && Math.abs(ageMs(aside)) > LONGEST_WRITE_MS) rmSync(aside)
    const out = openSync(aside, 'wx')
    try {
      writeAll(out, [headOf(uses, code), code])
      // Windows renames no file that is open.
      renameSync(aside, file)
    } catch (error) {
      rmSync(aside, { force: true })
      throw error
    }
    removeOld(path.dirname(file))
  } catch {
    // No room, no right to write, or another one is writing: this time there is none.
  }
}

/** Closes it, too. */
function writeAll(out: number, parts: readonly Buffer[]): void {
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += writeSync(out, part, at)
    }
  } finally {
    closeSync(out)
  }
}

function headOf(uses: readonly string[], code: Buffer): Buffer {
  const text = uses.join('\n')
  const head = Buffer.alloc(codeAt(text.length))
  head.writeUInt32LE(MAGIC, 0)
  head.writeUInt32LE(text.length, 8)
  head.write(text, HEAD_BYTES, 'latin1')
  head.writeUInt32LE(crc32(code, crc32(head.subarray(8))), 4)
  return head
}

function codeAt(usesBytes: number): number {
  return Math.ceil((HEAD_BYTES + usesBytes) / ALIGNMENT) * ALIGNMENT
}

function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name)
    if (OWN_NAME.test(name) && ageMs(file) > KEPT_MS) rmSync(file)
  }
}

function ageMs(file: string): number {
  return Date.now() - statSync(file).mtimeMs
}
