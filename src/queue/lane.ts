/**
 * A lane: the single-writer single-reader ring between one producer and one consumer.
 *
 * Memory. Control words (the writer's line, the reader's line), a table of slots, an arena of bytes.
 * Slot i describes record i: where its bytes lie in the arena, what they are, and which item made them.
 * TAIL counts the records published, HEAD those given back; both run modulo 2^32, and
 * TAIL - HEAD <= capacity <= slots - 1. The last slot is kept for SENTINEL, so ending a stream never waits.
 *
 * Ownership. TAIL, the slots at and past TAIL and the free bytes of the arena belong to the writer; HEAD
 * belongs to the reader. No word has two writers, so no lock is ever held and none can be left held.
 *
 * Publication. The writer fills bytes and slot with plain writes, then stores TAIL: that one store publishes
 * them. A writer killed before it has published nothing; there is no torn record. The reader stores HEAD only
 * when it is done with the record, in a pipeline after the outputs made from it are published: until then the
 * record stays, and the next life of a reader that died finds it.
 *
 * Arena. Records lie in the order of their numbers, each in one piece, so bytes are freed in that order
 * too. The writer goes back to the beginning early, once it is past `#turnAt`, so that small items keep using the
 * same few cache lines (and touch few pages) however large the arena may be; `#turnAt` doubles when that
 * proves too tight.
 */
import { bug, MillraceError } from '../errors.ts'
import { load, peek, poke, store, type Words } from './atomics.ts'
import { decode } from './codec/decode.ts'
import { encode, encodeToScratch } from './codec/encode.ts'

export const ITEM = 0
export const END = 1

const LINE = 16
const TAIL = 0
/** Highest level the writer saw. */
const WRITER_PEAK = 1
/** How often TAIL has run over: `passed` may exceed 2^32. */
const TAIL_LAPS = 2
const HEAD = LINE
/** Highest level the reader saw. */
const READER_PEAK = LINE + 1
const SLOTS = 2 * LINE

const SLOT_SHIFT = 3
const SLOT_WORDS = 1 << SLOT_SHIFT
const OFFSET = 0
const LENGTH = 1
const KIND = 2
const SEQ_LOW = 3
const SEQ_HIGH = 4
const PART = 5

const FIRST_TURN_BYTES = 64 * 1024
const TWO_32 = 2 ** 32

/** Which item a record came from: its number at the source, and which of the item's outputs it is. */
export interface Origin {
  seq: number
  part: number
}

/** Where a lane lies in the memory of its queue. All in bytes. */
export interface LaneLayout {
  capacity: number
  slots: number
  arenaBytes: number
  controlBytes: number
  totalBytes: number
}

export function layOutLane(capacity: number, arenaBytes: number): LaneLayout {
  const slots = 2 ** Math.ceil(Math.log2(capacity + 1))
  const controlBytes = (SLOTS + slots * SLOT_WORDS) * 4
  const paddedArena = Math.ceil(arenaBytes / 64) * 64
  return { capacity, slots, arenaBytes, controlBytes, totalBytes: controlBytes + paddedArena }
}

/** What both ends of a lane know of it. */
class LaneEnd {
  protected readonly words: Words
  protected readonly bytes: Buffer
  protected readonly capacity: number
  protected readonly mask: number

  constructor(memory: SharedArrayBuffer, at: number, layout: LaneLayout) {
    this.words = new Int32Array(memory, at, layout.controlBytes >> 2)
    this.bytes = Buffer.from(memory, at + layout.controlBytes, layout.arenaBytes)
    this.capacity = layout.capacity
    this.mask = layout.slots - 1
  }

  /** First word of the slot of record `count`. */
  protected slot(count: number): number {
    return SLOTS + ((count & this.mask) << SLOT_SHIFT)
  }
}

/** The writer's end. One thread at a time. */
export class LaneWriter extends LaneEnd {
  #tail: number
  /** HEAD as last read: never too high, so never room that is not there. */
  #head: number
  /** Where the next record goes. */
  #at = 0
  /** Number of the first record after the last return to the beginning of the arena. */
  #turn: number
  #turnAt: number
  /** Bytes that the last refused item needs. */
  #wantedBytes = 0

  constructor(memory: SharedArrayBuffer, at: number, layout: LaneLayout) {
    super(memory, at, layout)
    this.#tail = load(this.words, TAIL)
    this.#head = load(this.words, HEAD)
    this.#turn = this.#head
    this.#turnAt = Math.min(FIRST_TURN_BYTES, layout.arenaBytes)
    this.#takeUp()
  }

  /** Records in the lane, at most; fewer if the reader has given some back since HEAD was last read. */
  get levelAtMost(): number {
    return (this.#tail - this.#head) | 0
  }

  get level(): number {
    this.#refresh()
    return this.levelAtMost
  }

  /** Writes an item without publishing it beyond the reader's sight; false if there is no room. */
  tryPut(value: unknown, origin: Origin): boolean {
    if (this.levelAtMost >= this.capacity) {
      this.#refresh()
      if (this.levelAtMost >= this.capacity) return false
    }
    const from = this.#write(value)
    if (from < 0) return false
    this.#publish(from, ITEM, origin)
    return true
  }

  /** Publishes SENTINEL. There is always a slot for it. */
  putEnd(origin: Origin): void {
    this.#publish(this.#at, END, origin)
  }

  /** Whether a put that was refused may succeed now. */
  hasRoom(): boolean {
    this.#refresh()
    if (this.levelAtMost >= this.capacity) return false
    return this.#wantedBytes === 0 || this.#wantedBytes <= this.#largestFree()
  }

  /** Which item made the newest record: what a new life of the writer need not publish again. */
  lastOrigin(): (Origin & { isEnd: boolean }) | undefined {
    if (this.#tail === 0 && peek(this.words, TAIL_LAPS) === 0) return undefined
    const slot = this.slot((this.#tail - 1) | 0)
    return { ...readOrigin(this.words, slot), isEnd: peek(this.words, slot + KIND) === END }
  }

  #publish(from: number, kind: number, origin: Origin): void {
    const { words } = this
    const slot = this.slot(this.#tail)
    poke(words, slot + OFFSET, from)
    poke(words, slot + LENGTH, this.#at - from)
    poke(words, slot + KIND, kind)
    poke(words, slot + SEQ_LOW, origin.seq | 0)
    poke(words, slot + SEQ_HIGH, origin.seq < TWO_32 ? 0 : Math.floor(origin.seq / TWO_32))
    poke(words, slot + PART, origin.part)
    this.#tail = (this.#tail + 1) | 0
    if (this.#tail === 0) poke(words, TAIL_LAPS, peek(words, TAIL_LAPS) + 1)
    // Publishes the slot and its bytes. Pairs with the load of TAIL in LaneReader.isEmpty().
    store(words, TAIL, this.#tail)
  }

  /** Puts the value's bytes where there is room and moves `#at` behind them; their start, or -1. */
  #write(value: unknown): number {
    let from = this.#place(value)
    if (from < 0 && this.#refresh()) from = this.#place(value)
    if (from >= 0) {
      this.#wantedBytes = 0
      return from
    }
    const size = encodeToScratch(value).length
    if (size > this.bytes.length) {
      throw new MillraceError(
        'MILLRACE_ITEM_TOO_LARGE',
        `an item of ${size} bytes does not fit a queue that holds ${this.bytes.length} bytes per lane`,
      )
    }
    this.#wantedBytes = size
    this.#turnAt = Math.min(this.bytes.length, this.#turnAt * 2)
    return -1
  }

  #place(value: unknown): number {
    const { bytes } = this
    if (this.levelAtMost === 0) {
      // Nothing in flight: begin at the beginning.
      return this.#encodeAt(value, 0, bytes.length, true)
    }
    if (this.#hasTurned()) return this.#encodeAt(value, this.#at, this.#oldest(), false)
    if (this.#at >= this.#turnAt) {
      const from = this.#encodeAt(value, 0, this.#oldest(), true)
      if (from >= 0) return from
    }
    const from = this.#encodeAt(value, this.#at, bytes.length, false)
    return from >= 0 ? from : this.#encodeAt(value, 0, this.#oldest(), true)
  }

  #encodeAt(value: unknown, from: number, limit: number, isTurn: boolean): number {
    const end = encode(value, this.bytes, from, limit)
    if (end < 0) return -1
    if (isTurn) this.#turn = this.#tail
    this.#at = end
    return from
  }

  /** Whether records lie at the end of the arena and, newer ones, at its beginning. */
  #hasTurned(): boolean {
    return ((this.#turn - this.#head) | 0) > 0
  }

  /** Where the oldest record in flight begins. */
  #oldest(): number {
    return peek(this.words, this.slot(this.#head) + OFFSET)
  }

  #largestFree(): number {
    if (this.levelAtMost === 0) return this.bytes.length
    const oldest = this.#oldest()
    if (this.#hasTurned()) return oldest - this.#at
    return Math.max(this.bytes.length - this.#at, oldest)
  }

  /** Reads HEAD again; whether the reader has given anything back. */
  #refresh(): boolean {
    const level = this.levelAtMost
    const head = load(this.words, HEAD)
    if (level > peek(this.words, WRITER_PEAK)) {
      const seen = Math.min((this.#tail - head) | 0, this.capacity)
      if (seen > peek(this.words, WRITER_PEAK)) poke(this.words, WRITER_PEAK, seen)
    }
    if (head === this.#head) return false
    this.#head = head
    return true
  }

  /** Finds where an earlier writer of this lane had got to. */
  #takeUp(): void {
    let previous = -1
    for (let count = this.#head; count !== this.#tail; count = (count + 1) | 0) {
      const slot = this.slot(count)
      const offset = peek(this.words, slot + OFFSET)
      if (offset < previous) this.#turn = count
      previous = offset
      this.#at = offset + peek(this.words, slot + LENGTH)
    }
  }
}

/** The reader's end. One thread at a time. */
export class LaneReader extends LaneEnd {
  #head: number
  /** TAIL as last read: never too high, so never a record that is not there. */
  #tail: number

  constructor(memory: SharedArrayBuffer, at: number, layout: LaneLayout) {
    super(memory, at, layout)
    this.#head = load(this.words, HEAD)
    this.#tail = load(this.words, TAIL)
  }

  /** Whether no record is there to read. */
  isEmpty(): boolean {
    return this.#head === this.#tail && this.level() === 0
  }

  /** Records in the lane now. */
  level(): number {
    this.#tail = load(this.words, TAIL)
    const level = (this.#tail - this.#head) | 0
    if (level > peek(this.words, READER_PEAK)) poke(this.words, READER_PEAK, Math.min(level, this.capacity))
    return level
  }

  /** Whether the record at the head is SENTINEL. Only while not empty. */
  isEnd(): boolean {
    return peek(this.words, this.slot(this.#head) + KIND) === END
  }

  /** The value at the head; it stays there until `commit`. @throws MILLRACE_CORRUPT_RECORD */
  read(): unknown {
    const slot = this.slot(this.#head)
    const from = peek(this.words, slot + OFFSET)
    const length = peek(this.words, slot + LENGTH)
    if (from < 0 || length < 0 || from + length > this.bytes.length) {
      throw new MillraceError('MILLRACE_CORRUPT_RECORD', `a record claims bytes ${from} to ${from + length}`)
    }
    return decode(this.bytes, from, from + length)
  }

  /** Number, at the source, of the item at the head. */
  get seq(): number {
    return readSeq(this.words, this.slot(this.#head))
  }

  /** Gives the record at the head back. Its bytes may be overwritten from now on. */
  commit(): void {
    if (this.#head === this.#tail) throw bug('a record was given back that was not there')
    this.#head = (this.#head + 1) | 0
    // Hands slot and bytes back to the writer. Pairs with the load of HEAD in LaneWriter.
    store(this.words, HEAD, this.#head)
  }

  /** Records that can be read without looking at shared memory. */
  get atHand(): number {
    return (this.#tail - this.#head) | 0
  }
}

/** What anyone may know of a lane, without being one of its ends. */
export class LaneView extends LaneEnd {
  /** Items published and not given back; SENTINEL does not count. */
  get level(): number {
    const head = load(this.words, HEAD)
    const tail = load(this.words, TAIL)
    const records = (tail - head) | 0
    // Both ends may have moved on between the two loads; the lane never held more than its capacity.
    return Math.min(this.capacity, records - (this.#endsIn(head, tail) ? 1 : 0))
  }

  /** Items ever published; SENTINEL does not count. */
  get passed(): number {
    const tail = load(this.words, TAIL)
    const total = peek(this.words, TAIL_LAPS) * TWO_32 + (tail >>> 0)
    return total - (total > 0 && peek(this.words, this.slot((tail - 1) | 0) + KIND) === END ? 1 : 0)
  }

  /** Highest level seen by either end, or now. */
  get peak(): number {
    return Math.max(peek(this.words, WRITER_PEAK), peek(this.words, READER_PEAK), this.level)
  }

  /** Numbers, at the source, of the items that were not given back, oldest first. */
  *remaining(): Generator<Origin> {
    const tail = load(this.words, TAIL)
    for (let count = load(this.words, HEAD); count !== tail; count = (count + 1) | 0) {
      const slot = this.slot(count)
      if (peek(this.words, slot + KIND) === ITEM) yield readOrigin(this.words, slot)
    }
  }

  /** Which item made the newest record ever published. */
  get newest(): Origin | undefined {
    const tail = load(this.words, TAIL)
    if (tail === 0 && peek(this.words, TAIL_LAPS) === 0) return undefined
    return readOrigin(this.words, this.slot((tail - 1) | 0))
  }

  #endsIn(head: number, tail: number): boolean {
    return head !== tail && peek(this.words, this.slot((tail - 1) | 0) + KIND) === END
  }
}

function readSeq(words: Words, slot: number): number {
  const low = peek(words, slot + SEQ_LOW) >>> 0
  const high = peek(words, slot + SEQ_HIGH)
  return high === 0 ? low : low + high * TWO_32
}

function readOrigin(words: Words, slot: number): Origin {
  return { seq: readSeq(words, slot), part: peek(words, slot + PART) }
}
