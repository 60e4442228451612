import { constants } from 'node:buffer'
import { MillraceError } from '../../errors.ts'
import { pathText } from './path.ts'
import { lengthBytes, putLength, putNumber, putText, textRoom } from './put-scalar.ts'
import { NO_BUFFER, type RawBuffer } from './raw-buffer.ts'
import { Seen } from './seen.ts'
import type { ShapeWriter } from './shape-writer.ts'
import { KEY_SHORT_MAX, KEY_TEXT, MAX_DEPTH, MAX_ERROR_DEPTH, REFERENCE } from './tags.ts'

/** Thrown when a record does not fit; caught by `encode`. One object, since it is part of normal work. */
export const OVERFLOW: unique symbol = Symbol('overflow') as never

const SCRATCH_START = 64 * 1024
/** A larger scratch buffer is not kept for the next value. */
const SCRATCH_KEEP = 4 * 1024 * 1024
const PATH_KEEP = 16

/** Writes a value of any depth; handed in so that the files of the encoder need not import each other in a ring. */
export type WriteValue = (w: Writer, value: unknown) => void

/** Where the bytes of a view are: nowhere in particular, in a slab that may be passed on, or in one that may not. */
export type WhereItLies = 'elsewhere' | 'in a slab' | 'in no slab'

/** Slabs, as the writer of a record sees them: what it names them by. */
export interface SlabNamer {
  /** A record is begun. */
  begin(): void
  /** Notes that the record refers to the slab that the view lies in. */
  name(view: ArrayBufferView): WhereItLies
  /** Of the slab that was named last. */
  readonly pool: number
}

/** What is needed to return to a point of a record. */
export interface Mark {
  pos: number
  seen: number
  depth: number
  errorDepth: number
}

/** Where one record is being written, and what it has met so far. */
export class Writer {
  buf: RawBuffer = NO_BUFFER
  pos = 0
  limit = 0
  depth = 0
  /** Errors within errors. */
  errorDepth = 0
  readonly seen = new Seen()
  /** Where views may lie that travel by reference. */
  slabs: SlabNamer | undefined
  /** What is known of the shapes of objects. */
  shapes: ShapeWriter | undefined
  /** Per level: the key that is being written. Only primitives, and only for messages. */
  path: unknown[] = []
  readonly #kinds: number[] = []
  #scratch: RawBuffer | undefined
  #growable = false

  begin(
    target: Buffer,
    start: number,
    limit: number,
    slabs: SlabNamer | undefined,
    shapes: ShapeWriter | undefined,
  ): void {
    this.buf = target as RawBuffer
    this.pos = start
    this.limit = limit
    this.slabs = slabs
    this.shapes = shapes
    this.#growable = false
    slabs?.begin()
  }

  beginScratch(slabs: SlabNamer | undefined, shapes: ShapeWriter | undefined): void {
    this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_START) as RawBuffer
    this.begin(this.#scratch, 0, this.#scratch.length, slabs, shapes)
    this.#growable = true
  }

  /** Lets go of the target and of the value, whatever happened. */
  finish(): void {
    if (this.#growable) this.#scratch = this.buf.length <= SCRATCH_KEEP ? this.buf : undefined
    this.buf = NO_BUFFER
    this.slabs = undefined
    this.shapes = undefined
    this.depth = 0
    this.errorDepth = 0
    this.seen.clear()
    const { path } = this
    if (path.length > PATH_KEEP) this.path = []
    else for (let i = 0; i < path.length; i++) path[i] = undefined
  }

  /** Makes sure of `bytes` more bytes; `buf` and `limit` may be others afterwards. */
  room(bytes: number): void {
    if (this.limit - this.pos < bytes) this.#more(bytes)
  }

  byte(value: number): void {
    if (this.pos >= this.limit) this.#more(1)
    this.buf[this.pos++] = value
  }

  length(value: number): void {
    this.room(lengthBytes(value))
    this.pos = putLength(value, this.buf, this.pos)
  }

  text(value: string): void {
    let end = putText(value, this.buf, this.pos, this.limit)
    if (end < 0) {
      this.#more(textRoom(value.length))
      end = putText(value, this.buf, this.pos, this.limit)
    }
    this.pos = end
  }

  /** A key as `Reader.key` reads it. */
  key(key: string): void {
    if (key.length > KEY_SHORT_MAX || !this.#shortKey(key)) {
      this.byte(KEY_TEXT)
      this.text(key)
    }
  }

  number(value: number): void {
    let end = putNumber(value, this.buf, this.pos, this.limit)
    if (end < 0) {
      this.#more(9)
      end = putNumber(value, this.buf, this.pos, this.limit)
    }
    this.pos = end
  }

  reference(to: number): void {
    this.byte(REFERENCE)
    this.length(to)
  }

  /** Goes one level down; returns the place in `path` for the keys of this level. */
  enter(kind: number): number {
    const level = this.depth
    if (level >= MAX_DEPTH) throw this.refusal(`nested more than ${MAX_DEPTH} levels deep`)
    this.#kinds[level] = kind
    this.depth = level + 1
    return level
  }

  /** As `enter`, for an error. */
  enterError(kind: number): number {
    if (this.errorDepth >= MAX_ERROR_DEPTH)
      throw this.refusal(`errors nested more than ${MAX_ERROR_DEPTH} deep`)
    const level = this.enter(kind)
    this.errorDepth++
    return level
  }

  leaveError(level: number): void {
    this.depth = level
    this.errorDepth--
  }

  /** For levels whose keys are of several kinds. */
  step(level: number, kind: number, key: unknown): void {
    this.#kinds[level] = kind
    this.path[level] = key
  }

  mark(): Mark {
    return { pos: this.pos, seen: this.seen.count, depth: this.depth, errorDepth: this.errorDepth }
  }

  rollback(mark: Mark): void {
    this.pos = mark.pos
    this.depth = mark.depth
    this.errorDepth = mark.errorDepth
    this.seen.rollback(mark.seen)
  }

  refusal(what: string): MillraceError {
    const at = pathText(this.path, this.#kinds, this.depth)
    return new MillraceError('MILLRACE_NOT_CLONEABLE', `an item cannot travel: ${what}${at}`)
  }

  /** A view on a slab that is not there any more. */
  released(): MillraceError {
    const at = pathText(this.path, this.#kinds, this.depth)
    const what = `a slab that was passed on or given back before${at}`
    return new MillraceError('MILLRACE_SLAB_RELEASED', `an item cannot travel: it has a view on ${what}`)
  }

  #shortKey(key: string): boolean {
    const { length } = key
    this.room(length + 1)
    const { buf } = this
    let at = this.pos + 1
    for (let i = 0; i < length; i++) {
      const unit = key.charCodeAt(i)
      if (unit > 0xff) return false
      buf[at++] = unit
    }
    buf[this.pos] = length
    this.pos = at
    return true
  }

  #more(bytes: number): void {
    if (!this.#growable) throw OVERFLOW
    const needed = this.pos + bytes
    if (needed > constants.MAX_LENGTH) throw tooLarge()
    const size = Math.min(constants.MAX_LENGTH, Math.max(this.buf.length * 2, needed))
    const grown = Buffer.allocUnsafeSlow(size) as RawBuffer
    this.buf.copy(grown, 0, 0, this.pos)
    this.buf = grown
    this.limit = grown.length
  }
}

function tooLarge(): MillraceError {
  const limit = `the largest Buffer of this Node.js, ${constants.MAX_LENGTH} bytes`
  return new MillraceError('MILLRACE_ITEM_TOO_LARGE', `an item does not fit ${limit}`)
}
