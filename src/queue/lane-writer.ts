/**
 * The writer's end of a lane; lane.ts has the protocol.
 *
 * Arena. Records lie in the order of their numbers, each in one piece, so bytes are freed in that order
 * too. The writer goes back to the beginning where it knows the lane to be empty; once it is past 64 KiB, it looks whether
 * it is, each 4 KiB. So small items keep using the same few cache lines (and touch few pages) of a large arena, if the lane
 * is empty now and then. Never earlier while records lie there: those after them would have no more room than what lies
 * before them, and the lane would be full early.
 */
import { MillraceError } from '../errors.ts'
import { add, compareExchange, load, peek, poke, store } from './atomics.ts'
import { encode, encodeToScratch } from './codec/encode.ts'
import type { ShapeWriter } from './codec/shape-writer.ts'
import {
  DROPPED,
  DROPPED_LAPS,
  END,
  HAS_SLABS,
  HEAD,
  HEAD_LAPS,
  ITEM,
  ITEM_HIGH,
  ITEM_LOW,
  KIND,
  LARGE_BYTES,
  LaneEnd,
  type LaneLayout,
  LENGTH,
  MADE_BY,
  OFFSET,
  ORDER,
  type Origin,
  PART,
  readNewest,
  SOURCE_SHIFT,
  TAIL,
  TAIL_LAPS,
  TWO_32,
  WRITER_PEAK,
} from './lane.ts'
import { bytesOfRefs, REF_WORDS, type RecordSlabs, writeRefs } from './slab-refs.ts'

/** Past it the writer looks whether the lane is empty, and again each time it has got so much further. */
const EARLY_TURN_BYTES = 64 * 1024
const TURN_STEP_BYTES = 4 * 1024

/** The writer's end. One thread at a time. */
export class LaneWriter extends LaneEnd {
  #tail: number
  /** HEAD as last read: never too high, so never room that is not there. */
  #head: number
  /** Where the next record goes. */
  #at = 0
  /** Number of the first record after the last return to the beginning of the arena. */
  #turn: number
  /** Where the writer looks next whether it may go back to the beginning early. */
  #turnAt = EARLY_TURN_BYTES
  /** Bytes that the last refused item needs. */
  #wantedBytes = 0

  readonly #slabs: RecordSlabs | undefined
  /** HAS_SLABS if the value that was written refers to some. */
  #hasSlabs = 0
  /** Bytes of the newest record. */
  #newestBytes = 0

  readonly #shapes: ShapeWriter | undefined

  constructor(
    memory: SharedArrayBuffer,
    at: number,
    layout: LaneLayout,
    slabs?: RecordSlabs | undefined,
    shapes?: ShapeWriter | undefined,
  ) {
    super(memory, at, layout)
    this.#slabs = slabs
    this.#shapes = shapes
    this.#tail = load(this.words, TAIL)
    this.#head = load(this.words, HEAD)
    this.#turn = this.#head
    this.#takeUp()
  }

  /** Records in the lane, at most; fewer if the reader has given some back since HEAD was last read. */
  get levelAtMost(): number {
    return (this.#tail - this.#head) | 0
  }

  /** Whether the record that was put last is worth a wake-up of its own. */
  get isNewestLarge(): boolean {
    return this.#hasSlabs !== 0 || this.#newestBytes >= LARGE_BYTES
  }

  get level(): number {
    this.#refresh()
    return this.levelAtMost
  }

  /** Publishes an item; false if there is no room. @throws MILLRACE_NOT_CLONEABLE, MILLRACE_ITEM_TOO_LARGE */
  tryPut(value: unknown, origin: Origin): boolean {
    if (this.levelAtMost >= this.capacity) {
      this.#refresh()
      if (this.levelAtMost >= this.capacity) return false
    }
    const from = this.#write(value)
    if (from < 0) return false
    if (this.#hasSlabs === 0) this.#publish(from, ITEM, origin)
    else {
      this.#publish(from, ITEM | HAS_SLABS, origin)
      this.#slabs?.publish()
    }
    return true
  }

  /** Publishes SENTINEL, unless an earlier life has. There is always a slot for it. */
  putEnd(origin: Origin): void {
    if (!this.hasEnded) this.#publish(this.#at, END, origin)
  }

  /** Whether SENTINEL was put, in this life or an earlier one. */
  get hasEnded(): boolean {
    return this.newest()?.isEnd ?? false
  }

  /**
   * Takes the oldest record out, if the reader has not claimed it: only in a lane with a claiming reader. False if
   * nothing was there, or the reader was faster: then there is room, too.
   */
  dropOldest(): boolean {
    const { words } = this
    const head = load(words, HEAD)
    if (head === this.#tail) return false
    const next = (head + 1) | 0
    if (compareExchange(words, HEAD, head, next) !== head) return false
    if (next === 0) add(words, HEAD_LAPS, 1)
    const dropped = (peek(words, DROPPED) + 1) | 0
    if (dropped === 0) poke(words, DROPPED_LAPS, peek(words, DROPPED_LAPS) + 1)
    poke(words, DROPPED, dropped)
    return true
  }

  /** Whether a put that was refused may succeed now. */
  hasRoom(): boolean {
    this.#refresh()
    if (this.levelAtMost >= this.capacity) return false
    return this.#wantedBytes === 0 || this.#wantedBytes <= this.#largestFree()
  }

  /** What made the newest record: the next life of the writer need not publish it again. */
  newest(): (Origin & { isEnd: boolean }) | undefined {
    return readNewest(this.words, this.#tail, (count) => this.slot(count))
  }

  #publish(from: number, kind: number, origin: Origin): void {
    const { words } = this
    const slot = this.slot(this.#tail)
    poke(words, slot + OFFSET, from)
    this.#newestBytes = this.#at - from
    poke(words, slot + LENGTH, this.#newestBytes)
    const { item } = origin
    poke(words, slot + KIND, kind | (origin.source << SOURCE_SHIFT))
    poke(words, slot + ITEM_LOW, item | 0)
    poke(words, slot + ITEM_HIGH, item < TWO_32 ? 0 : Math.floor(item / TWO_32))
    poke(words, slot + ORDER, origin.order)
    poke(words, slot + MADE_BY, origin.madeBy)
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
    const size = this.#sizeOf(value)
    if (size > this.bytes.length) {
      throw new MillraceError(
        'MILLRACE_ITEM_TOO_LARGE',
        `an item of ${size} bytes does not fit a queue that holds ${this.bytes.length} bytes per lane`,
      )
    }
    this.#wantedBytes = size
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
      this.#turnAt = this.#at + TURN_STEP_BYTES
      this.#refresh()
      if (this.levelAtMost === 0) return this.#encodeAt(value, 0, bytes.length, true)
    }
    const from = this.#encodeAt(value, this.#at, bytes.length, false)
    return from >= 0 ? from : this.#encodeAt(value, 0, this.#oldest(), true)
  }

  #encodeAt(value: unknown, from: number, limit: number, isTurn: boolean): number {
    const slabs = this.#slabs
    let end = encode(value, this.bytes, from, limit, slabs, this.#shapes)
    if (end < 0) return -1
    this.#hasSlabs = 0
    if (slabs !== undefined && typeof value === 'object' && slabs.refs.length > 0) {
      end = writeRefs(this.arena, from, end, limit, slabs)
      if (end < 0) return -1
      this.#hasSlabs = HAS_SLABS
    }
    if (isTurn) {
      this.#turn = this.#tail
      this.#turnAt = EARLY_TURN_BYTES
    }
    this.#at = end
    return from
  }

  #sizeOf(value: unknown): number {
    const slabs = this.#slabs
    const { length } = encodeToScratch(value, slabs, this.#shapes)
    if (slabs === undefined || slabs.refs.length === 0) return length
    return length + bytesOfRefs(slabs.refs.length / REF_WORDS)
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
