import { constants } from 'node:buffer'
import { MillraceError } from '../../errors.ts'
import { NO_BUFFER, type RawBuffer } from './raw-buffer.ts'
import type { ShapeReader } from './shape-reader.ts'
import {
  KEY_SHORT_MAX,
  KEY_TEXT,
  KEYS_END,
  LATIN1,
  MAX_DEPTH,
  MAX_ERROR_DEPTH,
  SHORT_TEXT,
  SMALL_INT,
  UTF16,
} from './tags.ts'
import { TextCache } from './text-cache.ts'

/** Texts up to this length are looked up: longer ones repeat less, and cost no more to make. */
const WORD_MAX = 8
const REFS_KEEP = 1024

/** In place of the value of a key that was taken away while its object was written. */
export const ABSENT: unique symbol = Symbol('absent')

const keys = new TextCache(isAssignable)
const words = new TextCache(() => true)
const float64 = new Float64Array(1)
const int64 = new BigInt64Array(float64.buffer)
const word = new Uint8Array(float64.buffer)

/** Reads a value of any depth; handed in so that the files of the decoder need not import each other in a ring. */
export type ReadValue = (r: Reader) => unknown

/** Slabs, as the reader of a record sees them. */
export interface SlabOpener {
  /** A view on a slab, of one of the BINARY_KINDS; undefined: there can be none. */
  open(pool: number, kind: string, offset: number, length: number): ArrayBufferView | undefined
}

/** Where one record is being read. Every method checks what it reads against `end`. */
export class Reader {
  buf: RawBuffer = NO_BUFFER
  pos = 0
  end = 0
  /** Whether the last key may be given to a new object by plain assignment. */
  assignable = true
  /** Where the slabs are that it refers to. */
  slabs: SlabOpener | undefined
  /** What its producer knows of the shapes of objects. */
  shapes: ShapeReader | undefined
  /** How many ABSENT were given out for values of shapes; whoever has read the object takes them away. */
  holes = 0
  #depth = 0
  #errorDepth = 0
  #refs: unknown[] = []
  #refCount = 0

  begin(
    source: Buffer,
    start: number,
    end: number,
    slabs: SlabOpener | undefined,
    shapes: ShapeReader | undefined,
  ): void {
    this.buf = source as RawBuffer
    this.slabs = slabs
    this.shapes = shapes
    this.pos = start
    this.end = end
  }

  /** Lets go of the source and of the value, whatever happened. */
  finish(): void {
    this.buf = NO_BUFFER
    this.slabs = undefined
    this.shapes = undefined
    this.holes = 0
    this.#depth = 0
    this.#errorDepth = 0
    if (this.#refCount > REFS_KEEP) this.#refs = []
    else for (let i = 0; i < this.#refCount; i++) this.#refs[i] = undefined
    this.#refCount = 0
  }

  /** Checks that `bytes` more bytes are there; returns where they begin, and moves behind them. */
  take(bytes: number): number {
    const { pos } = this
    if (this.end - pos < bytes) throw corrupt('it ends too early')
    this.pos = pos + bytes
    return pos
  }

  byte(): number {
    if (this.pos >= this.end) throw corrupt('it ends too early')
    return this.buf[this.pos++]
  }

  /** Whether the next byte is this one, which is then passed over. */
  passed(byte: number): boolean {
    if (this.pos >= this.end || this.buf[this.pos] !== byte) return false
    this.pos++
    return true
  }

  length(): number {
    let byte = this.byte()
    let value = byte & 0x7f
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      if (scale > Number.MAX_SAFE_INTEGER) throw corrupt('a length is out of range')
      byte = this.byte()
      value += (byte & 0x7f) * scale
    }
    return value
  }

  double(): number {
    this.#word()
    return float64[0]
  }

  bigInt64(): bigint {
    this.#word()
    return int64[0]
  }

  int32(): number {
    const at = this.take(4)
    const { buf } = this
    return buf[at] | (buf[at + 1] << 8) | (buf[at + 2] << 16) | (buf[at + 3] << 24)
  }

  /** The rest of a text, of which `tag` was read. */
  textAfter(tag: number): string {
    if (tag >= SHORT_TEXT && tag < SMALL_INT) {
      const length = tag - SHORT_TEXT
      const at = this.take(length)
      return length <= WORD_MAX ? words.get(this.buf, at, length) : this.buf.latin1Slice(at, at + length)
    }
    if (tag !== LATIN1 && tag !== UTF16) throw corrupt('a text is missing')
    const bytes = this.length()
    const units = tag === LATIN1 ? bytes : bytes / 2
    if (units > constants.MAX_STRING_LENGTH || !Number.isInteger(units))
      throw corrupt('a text has a wrong length')
    const at = this.take(bytes)
    return tag === LATIN1 ? this.buf.latin1Slice(at, at + bytes) : this.buf.ucs2Slice(at, at + bytes)
  }

  text(): string {
    return this.textAfter(this.byte())
  }

  /** The next key, or undefined behind the last. */
  key(): string | undefined {
    const length = this.byte()
    if (length <= KEY_SHORT_MAX) {
      const key = keys.get(this.buf, this.take(length), length)
      this.assignable = keys.kept
      return key
    }
    if (length === KEYS_END) return undefined
    if (length !== KEY_TEXT) throw corrupt('a key is missing')
    const key = this.text()
    this.assignable = isAssignable(key)
    return key
  }

  /** Goes one level down. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) throw corrupt('it is nested too deep')
  }

  leave(): void {
    this.#depth--
  }

  enterError(): void {
    this.enter()
    if (++this.#errorDepth > MAX_ERROR_DEPTH) throw corrupt('it is nested too deep')
  }

  leaveError(): void {
    this.#depth--
    this.#errorDepth--
  }

  /** Gives an object the next number. Must happen in the order in which the writer met them. */
  remember<T extends object>(object: T): T {
    this.#refs[this.#refCount++] = object
    return object
  }

  recall(): unknown {
    const at = this.length()
    if (at >= this.#refCount) throw corrupt('it refers to an object that is not there')
    return this.#refs[at]
  }

  #word(): void {
    const at = this.take(8)
    const { buf } = this
    word[0] = buf[at]
    word[1] = buf[at + 1]
    word[2] = buf[at + 2]
    word[3] = buf[at + 3]
    word[4] = buf[at + 4]
    word[5] = buf[at + 5]
    word[6] = buf[at + 6]
    word[7] = buf[at + 7]
  }
}

/** Assigning to a name that Object.prototype has may run a setter, or fail if it is frozen. */
function isAssignable(key: string): boolean {
  return !(key in Object.prototype)
}

export function corrupt(what: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_CORRUPT_RECORD',
    `a record is corrupt: ${what}`,
    cause === undefined ? {} : { cause },
  )
}
