/**
 * The reader's end of a lane that drops its oldest records when it is full.
 *
 * Here HEAD has two writers: the reader that takes the oldest record, and the writer that drops it. Each moves HEAD by
 * compareExchange, so each record goes to exactly one of them. A record leaves the ring when it is taken: the reader
 * copies its bytes first, and keeps the copy only if HEAD was still there; so it never reads what the writer is
 * overwriting. A record in hand is lost with its reader's thread.
 *
 * What is in hand is no longer between HEAD and TAIL, yet whoever asks what may still come must see it: before
 * the claim the reader stores HOLDS and what it is about to hold, and clears it only when it is done. A dropped record
 * makes its reader's floor rise (see order-floor.ts) and nobody gives it back: the reader notices, and passes it on.
 */
import { bug } from '../errors.ts'
import { add, compareExchange, load, peek, poke, store } from './atomics.ts'
import { decode } from './codec/decode.ts'
import type { SlabOpener } from './codec/reader.ts'
import type { ShapeReader } from './codec/shape-reader.ts'
import {
  BATCH_SHIFT,
  END,
  HAS_SLABS,
  HEAD,
  HEAD_LAPS,
  HELD_ALL,
  HELD_ITEM_HIGH,
  HELD_ITEM_LOW,
  HELD_KIND,
  HELD_ORDER,
  HELD_REFS,
  HELD_REFS_MAX,
  HELD_SLABS,
  HOLDS,
  ITEM_HIGH,
  ITEM_LOW,
  joinWords,
  KIND,
  KIND_MASK,
  type LaneLayout,
  LENGTH,
  OFFSET,
  ORDER,
  READER_PEAK,
  readDropped,
  SOURCE_SHIFT,
  TAIL,
  TWO_32,
} from './lane.ts'
import { corrupt, type Found, LaneReader } from './lane-reader.ts'
import { emptyRefs, REF_WORDS, readRefs } from './slab-refs.ts'

const NOTHING = 0
const CLAIMED = 1
const TAKEN = 2

const FIRST_COPY_BYTES = 1024

/** One thread at a time. */
export class ClaimingLaneReader extends LaneReader {
  /** HEAD as this reader left it, or last saw it: what it looks at. */
  #head: number
  #hand = NOTHING
  #count = 0
  #from = 0
  #length = 0
  /** Bytes of its value, and what they show of slabs. */
  #valueBytes = 0
  #slabBytes = 0
  readonly #refsFound = emptyRefs()
  #copy = Buffer.alloc(FIRST_COPY_BYTES)
  #wasOvertaken = true

  constructor(
    memory: SharedArrayBuffer,
    at: number,
    layout: LaneLayout,
    slabs?: SlabOpener | undefined,
    shapes?: ShapeReader | undefined,
  ) {
    super(memory, at, layout, slabs, shapes)
    // What an earlier life had in hand is lost.
    store(this.words, HOLDS, 0)
    this.#head = load(this.words, HEAD)
  }

  override isEmpty(): boolean {
    if (this.#hand !== NOTHING) return this.#hand === TAKEN
    const head = load(this.words, HEAD)
    if (head !== this.#head) {
      this.#head = head
      this.#wasOvertaken = true
    }
    return head === load(this.words, TAIL)
  }

  override level(): number {
    const head = load(this.words, HEAD)
    const level = Math.min((load(this.words, TAIL) - head) | 0, this.capacity)
    if (level > peek(this.words, READER_PEAK)) poke(this.words, READER_PEAK, level)
    return level
  }

  override get atHand(): number {
    return this.level()
  }

  override get held(): number {
    return this.#hand === TAKEN ? 1 : 0
  }

  override get committed(): number {
    const { words } = this
    const passed = (load(words, HEAD) >>> 0) + peek(words, HEAD_LAPS) * TWO_32
    return passed - readDropped(words) - (this.#hand === NOTHING ? 0 : 1)
  }

  override isEnd(): boolean {
    if (this.#hand !== NOTHING) return false
    const isEnd = (peek(this.words, this.slot(this.#head) + KIND) & KIND_MASK) === END
    return isEnd && load(this.words, HEAD) === this.#head
  }

  /** Whether the writer has dropped records since this was last asked. */
  override takeOvertaken(): boolean {
    const was = this.#wasOvertaken
    this.#wasOvertaken = false
    return was
  }

  /** Takes the record that was looked at last out of the ring; false if the writer was faster. */
  override claim(): boolean {
    if (this.#hand !== NOTHING) return this.#hand === CLAIMED
    const { words } = this
    const head = this.#head
    const slot = this.slot(head)
    poke(words, HELD_ORDER, peek(words, slot + ORDER))
    poke(words, HELD_KIND, peek(words, slot + KIND))
    poke(words, HELD_ITEM_LOW, peek(words, slot + ITEM_LOW))
    poke(words, HELD_ITEM_HIGH, peek(words, slot + ITEM_HIGH))
    this.#from = peek(words, slot + OFFSET)
    this.#length = peek(words, slot + LENGTH)
    this.#noteSlabs(peek(words, slot + KIND))
    store(words, HOLDS, 1)
    if (this.#isWhole()) this.#copyBytes()
    const next = (head + 1) | 0
    if (compareExchange(words, HEAD, head, next) !== head) {
      store(words, HOLDS, 0)
      this.#wasOvertaken = true
      return false
    }
    if (next === 0) add(words, HEAD_LAPS, 1)
    this.#head = next
    this.#count = head
    this.#hand = CLAIMED
    return true
  }

  override read(): unknown {
    if (this.#hand === NOTHING) throw bug('a record was read that was not claimed')
    if (!this.#isWhole()) throw corrupt(this.#from, this.#length)
    return decode(this.#copy, 0, this.#valueBytes, this.slabs, this.shapes)
  }

  override readAt(count: number): unknown {
    this.#checkHeld(count)
    return this.read()
  }

  /** Not known before it is claimed: its writer may take it out. */
  override get isNextLarge(): boolean {
    return false
  }

  override get length(): number {
    return this.#length + this.#slabBytes
  }

  override describe(found: Found): void {
    found.item = this.item
    found.source = this.source
    found.order = this.order
  }

  override get count(): number {
    return this.#count
  }

  override get item(): number {
    return joinWords(peek(this.words, HELD_ITEM_LOW), peek(this.words, HELD_ITEM_HIGH))
  }

  override get source(): number {
    return (peek(this.words, HELD_KIND) >> SOURCE_SHIFT) & 0xff
  }

  /** Before the claim, too: should the writer be faster, it may be anything, and the claim fails. */
  override get order(): number {
    return peek(this.words, this.#hand === NOTHING ? this.slot(this.#head) + ORDER : HELD_ORDER)
  }

  override get batch(): number {
    return peek(this.words, HELD_KIND) >>> BATCH_SHIFT
  }

  override countOf(): number {
    return this.#count
  }

  override take(): number {
    if (this.#hand !== CLAIMED) throw bug('a record was taken that was not claimed')
    this.#hand = TAKEN
    return this.#count
  }

  override release(count: number): boolean {
    this.#checkHeld(count)
    this.#hand = NOTHING
    store(this.words, HOLDS, 0)
    return true
  }

  override commit(): boolean {
    return this.release(this.take())
  }

  /** A batch cannot be taken up again: its records have left the ring. */
  override mark(): void {}

  /** Which slabs stay in use while the record is in hand; should the writer be faster, it may be any. */
  #noteSlabs(kind: number): void {
    const { words } = this
    this.#valueBytes = this.#length
    this.#slabBytes = 0
    poke(words, HELD_SLABS, 0)
    if ((kind & HAS_SLABS) === 0) return
    const { arena } = this
    const refs = readRefs(arena, this.#from, this.#length, this.#refsFound)
    if (refs.first < 0) return
    this.#valueBytes = refs.valueBytes
    this.#slabBytes = refs.slabBytes
    poke(words, HELD_SLABS, refs.count > HELD_REFS_MAX ? HELD_ALL : refs.count)
    for (let at = 0; at < Math.min(refs.count, HELD_REFS_MAX) * REF_WORDS; at++) {
      poke(words, HELD_REFS + at, peek(arena, refs.first + at))
    }
  }

  #isWhole(): boolean {
    return this.#from >= 0 && this.#length >= 0 && this.#from + this.#length <= this.bytes.length
  }

  #copyBytes(): void {
    if (this.#copy.length < this.#length) this.#copy = Buffer.alloc(2 ** Math.ceil(Math.log2(this.#length)))
    this.bytes.copy(this.#copy, 0, this.#from, this.#from + this.#length)
  }

  #checkHeld(count: number): void {
    if (this.#hand !== TAKEN || count !== this.#count) throw bug(`record ${count} is not in hand`)
  }
}
