/**
 * The reader's end of a lane; lane.ts has the protocol.
 *
 *   HEAD ... records taken and not given back, some marked CONSUMED ... cursor ... records not taken ... TAIL
 *
 * What is taken stays in the lane until it is given back. The next life of a reader begins at HEAD again and leaves out
 * what is CONSUMED. Records may be given back in any order; HEAD follows as far as it can.
 */
import { bug, MillraceError } from '../errors.ts'
import { add, load, peek, poke, store } from './atomics.ts'
import { decode } from './codec/decode.ts'
import type { SlabOpener } from './codec/reader.ts'
import type { ShapeReader } from './codec/shape-reader.ts'
import {
  BATCH_SHIFT,
  CONSUMED,
  END,
  HAS_SLABS,
  HEAD,
  HEAD_LAPS,
  KIND,
  KIND_MASK,
  LARGE_BYTES,
  LaneEnd,
  type LaneLayout,
  LENGTH,
  OFFSET,
  ORDER,
  READER_PEAK,
  readItem,
  SOURCE_SHIFT,
  TAIL,
  TWO_32,
} from './lane.ts'
import { emptyRefs, readRefs } from './slab-refs.ts'

/** Bits of a record's number that a ticket has room for; a lane holds fewer records than that. */
export const COUNT_BITS = 22
const COUNT_MASK = (1 << COUNT_BITS) - 1

/** Where an item that was found comes from. */
export interface Found {
  /** Names it as long as it is in its lane, also to the next life of this worker. */
  ticket: number
  /** Its number at its source. */
  item: number
  source: number
  /** ORDER, signed. */
  order: number
}

/** One thread at a time. */
export class LaneReader extends LaneEnd {
  #head: number
  /** The next record that was not taken; never a CONSUMED one. */
  #cursor: number
  /** TAIL as last read: never too high, so never a record that is not there. */
  #tail: number
  /** CONSUMED records between HEAD and TAIL. */
  #marked = 0
  #held = 0
  protected readonly slabs: SlabOpener | undefined
  protected readonly shapes: ShapeReader | undefined
  readonly #refs = emptyRefs()

  constructor(
    memory: SharedArrayBuffer,
    at: number,
    layout: LaneLayout,
    slabs?: SlabOpener | undefined,
    shapes?: ShapeReader | undefined,
  ) {
    super(memory, at, layout)
    this.slabs = slabs
    this.shapes = shapes
    this.#head = load(this.words, HEAD)
    this.#tail = load(this.words, TAIL)
    // Never a marked one: see lane.ts.
    this.#cursor = this.#head
    for (let count = this.#head; count !== this.#tail; count = (count + 1) | 0) {
      if (this.#isMarked(count)) this.#marked++
    }
  }

  /** Whether no record is there to take. */
  isEmpty(): boolean {
    if (this.#cursor !== this.#tail) return false
    this.level()
    return this.#cursor === this.#tail
  }

  /** Records in the lane now, those taken included. */
  level(): number {
    this.#tail = load(this.words, TAIL)
    const level = (this.#tail - this.#head) | 0
    if (level > peek(this.words, READER_PEAK)) this.#notePeak(level)
    return level
  }

  /** SENTINEL is the newest record, if it is there, and no item. */
  #notePeak(records: number): void {
    const newest = this.slot((this.#tail - 1) | 0)
    const items = (peek(this.words, newest + KIND) & KIND_MASK) === END ? records - 1 : records
    if (items > peek(this.words, READER_PEAK)) poke(this.words, READER_PEAK, Math.min(items, this.capacity))
  }

  /** Records that can be taken without looking at shared memory. */
  get atHand(): number {
    return (this.#tail - this.#cursor) | 0
  }

  /** Whether the record at the cursor, if there is one, is worth a wake-up of its own. */
  get isNextLarge(): boolean {
    if (this.#cursor === this.#tail) return false
    const slot = this.slot(this.#cursor)
    return (peek(this.words, slot + KIND) & HAS_SLABS) !== 0 || peek(this.words, slot + LENGTH) >= LARGE_BYTES
  }

  /** Records taken and not given back. */
  get held(): number {
    return this.#held
  }

  /** Records given back, in all lives. */
  get committed(): number {
    return (this.#head >>> 0) + peek(this.words, HEAD_LAPS) * TWO_32 + this.#marked
  }

  /** Whether the record at the cursor is SENTINEL. Only while not empty. */
  isEnd(): boolean {
    return (peek(this.words, this.slot(this.#cursor) + KIND) & KIND_MASK) === END
  }

  /** The value at the cursor. @throws MILLRACE_CORRUPT_RECORD */
  read(): unknown {
    return this.#decodeSlot(this.slot(this.#cursor))
  }

  /** The value of a record that was taken. @throws MILLRACE_CORRUPT_RECORD */
  readAt(count: number): unknown {
    this.#checkHeld(count)
    return this.#decodeSlot(this.slot(count))
  }

  /** Bytes of the record at the cursor, those in slabs counted. */
  get length(): number {
    const slot = this.slot(this.#cursor)
    const length = peek(this.words, slot + LENGTH)
    if ((peek(this.words, slot + KIND) & HAS_SLABS) === 0) return length
    return length + readRefs(this.arena, peek(this.words, slot + OFFSET), length, this.#refs).slabBytes
  }

  /** What made the record at the cursor. Into the object that is given: this is asked for every item. */
  describe(found: Found): void {
    const { words } = this
    const slot = this.slot(this.#cursor)
    found.item = readItem(words, slot)
    found.source = (peek(words, slot + KIND) >> SOURCE_SHIFT) & 0xff
    found.order = peek(words, slot + ORDER)
  }

  /** Number of the record at the cursor. */
  get count(): number {
    return this.#cursor
  }

  /** Number, at its source, of the item at the cursor. */
  get item(): number {
    return readItem(this.words, this.slot(this.#cursor))
  }

  get source(): number {
    return (peek(this.words, this.slot(this.#cursor) + KIND) >> SOURCE_SHIFT) & 0xff
  }

  /** ORDER of the record at the cursor, signed. */
  get order(): number {
    return peek(this.words, this.slot(this.#cursor) + ORDER)
  }

  /** The batch that an earlier life took the record at the cursor into; 0: none. */
  get batch(): number {
    return peek(this.words, this.slot(this.#cursor) + KIND) >>> BATCH_SHIFT
  }

  /** Which of the records in the lane a ticket means. */
  countOf(ticket: number): number {
    return (this.#head + ((ticket - this.#head) & COUNT_MASK)) | 0
  }

  /** Whether that record is in the lane, and was not given back. */
  has(count: number): boolean {
    const isThere = ((count - this.#head) | 0) >= 0 && ((this.#tail - count) | 0) > 0
    return isThere && !this.#isMarked(count)
  }

  /** Moves on behind the record at the cursor, which stays in the lane; its number. */
  take(): number {
    const count = this.#cursor
    if (count === this.#tail) throw bug('a record was taken that was not there')
    this.#cursor = (count + 1) | 0
    this.#held++
    if (this.#marked > 0) this.#skipMarked()
    return count
  }

  /** Gives back a record that was taken; whether that made room. Its bytes may be overwritten from now on. */
  release(count: number): boolean {
    this.#checkHeld(count)
    this.#held--
    if (count !== this.#head) {
      const at = this.slot(count) + KIND
      this.#marked++
      // Stored, not poked: who sees the mark sees the outputs that were published before.
      store(this.words, at, peek(this.words, at) | CONSUMED)
      return false
    }
    let next = (count + 1) | 0
    while (this.#marked > 0 && next !== this.#cursor && this.#isMarked(next)) {
      this.#marked--
      next = (next + 1) | 0
    }
    this.#passTo(next)
    return true
  }

  /** Takes the record at the cursor and gives it back; whether that made room. */
  commit(): boolean {
    const head = this.#head
    if (head !== this.#cursor || this.#marked > 0) return this.release(this.take())
    if (head === this.#tail) throw bug('a record was given back that was not there')
    const next = (head + 1) | 0
    this.#cursor = next
    this.#passTo(next)
    return true
  }

  /** Writes into a record that was taken which batch it belongs to: for the next life. */
  mark(count: number, batch: number): void {
    this.#checkHeld(count)
    const at = this.slot(count) + KIND
    store(this.words, at, (peek(this.words, at) & ((1 << BATCH_SHIFT) - 1)) | (batch << BATCH_SHIFT))
  }

  /** See ClaimingLaneReader: elsewhere a record is the reader's as it lies there. */
  claim(): boolean {
    return true
  }

  /** See ClaimingLaneReader: elsewhere only the reader moves HEAD. */
  takeOvertaken(): boolean {
    return false
  }

  #passTo(head: number): void {
    if (head >>> 0 < this.#head >>> 0) add(this.words, HEAD_LAPS, 1)
    this.#head = head
    // Hands slots and bytes back to the writer. Pairs with the load of HEAD in LaneWriter.
    store(this.words, HEAD, head)
  }

  #isMarked(count: number): boolean {
    return (peek(this.words, this.slot(count) + KIND) & CONSUMED) !== 0
  }

  #skipMarked(): void {
    while (this.#cursor !== this.#tail && this.#isMarked(this.#cursor)) this.#cursor = (this.#cursor + 1) | 0
  }

  #checkHeld(count: number): void {
    const isTaken = ((count - this.#head) | 0) >= 0 && ((count - this.#cursor) | 0) < 0
    if (!isTaken || this.#isMarked(count)) throw bug(`record ${count} is not in hand`)
  }

  #decodeSlot(slot: number): unknown {
    const from = peek(this.words, slot + OFFSET)
    const length = peek(this.words, slot + LENGTH)
    if (from < 0 || length < 0 || from + length > this.bytes.length) throw corrupt(from, length)
    if ((peek(this.words, slot + KIND) & HAS_SLABS) === 0)
      return decode(this.bytes, from, from + length, undefined, this.shapes)
    const refs = readRefs(this.arena, from, length, this.#refs)
    if (refs.first < 0) throw corrupt(from, length)
    return decode(this.bytes, from, from + refs.valueBytes, this.slabs, this.shapes)
  }
}

export function corrupt(from: number, length: number): MillraceError {
  return new MillraceError('MILLRACE_CORRUPT_RECORD', `a record claims bytes ${from} to ${from + length}`)
}
