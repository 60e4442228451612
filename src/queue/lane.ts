/**
 * A lane: the single-writer single-reader ring between one producer and one consumer.
 *
 * Memory. Control words (the writer's line, the reader's line), a table of slots, an arena of bytes.
 * Slot i describes record i: where its bytes lie in the arena, what they are, and which item made them.
 * TAIL counts the records published, HEAD those given back; both run modulo 2^32, and
 * TAIL - HEAD <= capacity <= slots - 1. The last slot is kept for SENTINEL, so ending a stream never waits; and the
 * newest record stays readable in its slot after it was given back, for the next life of its writer.
 *
 * Ownership. TAIL, the slots at and past TAIL and the free bytes of the arena belong to the writer; HEAD and the slots
 * between HEAD and TAIL belong to the reader, which writes into one word of them, KIND. No word has two writers at a
 * time, so no lock is ever held and none can be left held. (A lane that may drop its oldest records is the exception:
 * see claiming-lane-reader.ts.)
 *
 * Publication. The writer fills bytes and slot with plain writes, then stores TAIL: that one store publishes
 * them. A writer killed before it has published nothing; there is no torn record. The reader gives a record back only
 * when it is done with it, in a pipeline after the outputs made from it are published: until then the record stays,
 * and the next life of a reader that died finds it. A reader done with a record out of turn marks it CONSUMED; HEAD
 * passes it later. The record at HEAD is never marked.
 *
 * Arena. Records lie in the order of their numbers, each in one piece, so bytes are freed in that order
 * too: see lane-writer.ts.
 */
import { load, peek, type Words } from './atomics.ts'
import { emptyRefs, REF_WORDS, type Refs, readRefs } from './slab-refs.ts'

export const ITEM = 0
export const END = 1
/** Bits of KIND that say what the record is. */
export const KIND_MASK = 3
/** Bit of KIND: the reader is done with it, out of turn. */
export const CONSUMED = 4
/** Bit of KIND: behind the value stands which slabs it refers to (slab-refs.ts). */
export const HAS_SLABS = 8
export const SOURCE_SHIFT = 4
export const BATCH_SHIFT = 12

const LINE = 16
export const TAIL = 0
/** Highest level the writer saw. */
export const WRITER_PEAK = 1
/** How often TAIL has run over: `passed` may exceed 2^32. */
export const TAIL_LAPS = 2
/** Records that the writer took out again, and how often that count has run over. */
export const DROPPED = 3
export const DROPPED_LAPS = 4
export const HEAD = LINE
/** Highest level the reader saw. */
export const READER_PEAK = LINE + 1
/** How often HEAD has run over. */
export const HEAD_LAPS = LINE + 2
/** Claiming readers only: 1 while one has a record in hand that has left the ring, and what that record is. */
export const HOLDS = LINE + 3
export const HELD_ORDER = LINE + 4
export const HELD_KIND = LINE + 5
export const HELD_ITEM_LOW = LINE + 6
export const HELD_ITEM_HIGH = LINE + 7
/** How many slabs it refers to, and the first of them; HELD_ALL: more than there is room for. */
export const HELD_SLABS = LINE + 8
export const HELD_REFS = LINE + 9
export const HELD_REFS_MAX = 2
export const HELD_ALL = -1
const SLOTS = 2 * LINE

const SLOT_SHIFT = 3
const SLOT_WORDS = 1 << SLOT_SHIFT
export const OFFSET = 0
export const LENGTH = 1
export const KIND = 2
export const ITEM_LOW = 3
export const ITEM_HIGH = 4
export const ORDER = 5
export const MADE_BY = 6
export const PART = 7

export const TWO_32 = 2 ** 32
/** A record of so many bytes, or with a slab, costs more than waking its reader does. */
export const LARGE_BYTES = 64 * 1024
/** In place of a source: there are several. */
export const MIXED_SOURCES = 255

/** Where a record came from. */
export interface Origin {
  /** Number of the item at its source, from 1. */
  item: number
  /** Which source, 0 to 255. */
  source: number
  /** Position in the order of the numbering point; 32 bits, compared modulo 2^32. */
  order: number
  /** Ticket of the input record it was made from; 32 bits. */
  madeBy: number
  /** Which of that record's outputs it is. */
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

/** What everyone who looks at a lane knows of it. */
export class LaneEnd {
  protected readonly words: Words
  protected readonly bytes: Buffer
  protected readonly capacity: number
  protected readonly mask: number
  #arena: Words | undefined

  constructor(memory: SharedArrayBuffer, at: number, layout: LaneLayout) {
    this.words = new Int32Array(memory, at, layout.controlBytes >> 2)
    this.bytes = Buffer.from(memory, at + layout.controlBytes, layout.arenaBytes)
    this.capacity = layout.capacity
    this.mask = layout.slots - 1
  }

  /** The arena as words: for references to slabs. */
  protected get arena(): Words {
    const { buffer, byteOffset, length } = this.bytes
    this.#arena ??= new Int32Array(buffer, byteOffset, length >> 2)
    return this.#arena
  }

  /** First word of the slot of record `count`. */
  protected slot(count: number): number {
    return SLOTS + ((count & this.mask) << SLOT_SHIFT)
  }
}

/** What anyone may know of a lane, without being one of its ends. */
export class LaneView extends LaneEnd {
  readonly #refs: Refs = emptyRefs()

  /** Items published and not given back; SENTINEL does not count. */
  get level(): number {
    const head = load(this.words, HEAD)
    const tail = load(this.words, TAIL)
    const records = (tail - head) | 0
    // Both ends may have moved on between the two loads; the lane never held more than its capacity.
    return Math.min(this.capacity, records - (head !== tail && this.#isEnd(tail) ? 1 : 0))
  }

  /** Items ever published; SENTINEL does not count. */
  get passed(): number {
    const tail = load(this.words, TAIL)
    const total = peek(this.words, TAIL_LAPS) * TWO_32 + (tail >>> 0)
    return total - (total > 0 && this.#isEnd(tail) ? 1 : 0)
  }

  /** Items that the writer took out again to make room. */
  get dropped(): number {
    return readDropped(this.words)
  }

  /** Highest level seen by either end, or now. */
  get peak(): number {
    return Math.max(peek(this.words, WRITER_PEAK), peek(this.words, READER_PEAK), this.level)
  }

  /** The items between HEAD and TAIL, oldest first, with their numbers in the lane. */
  *remaining(): Generator<Origin & { count: number; isConsumed: boolean; batch: number }> {
    const tail = load(this.words, TAIL)
    for (let count = load(this.words, HEAD); isBefore(count, tail); count = (count + 1) | 0) {
      const slot = this.slot(count)
      const kind = peek(this.words, slot + KIND)
      if ((kind & KIND_MASK) !== ITEM) continue
      const batch = kind >>> BATCH_SHIFT
      yield { ...readOrigin(this.words, slot), count, isConsumed: (kind & CONSUMED) !== 0, batch }
    }
  }

  /** What made the newest record ever published. */
  get newest(): (Origin & { isEnd: boolean }) | undefined {
    return readNewest(this.words, load(this.words, TAIL), (count) => this.slot(count))
  }

  /**
   * ORDER of the oldest record that was not given back, as a signed number; one in the hand of a claiming reader
   * counts. Right for an instant between call and return, also while both ends move.
   */
  headOrder(): number | 'empty' | 'end' {
    const { words } = this
    let found: number | 'empty' | 'end'
    for (;;) {
      const head = load(words, HEAD)
      if (head === load(words, TAIL)) found = 'empty'
      else {
        const slot = this.slot(head)
        found = (peek(words, slot + KIND) & KIND_MASK) === END ? 'end' : peek(words, slot + ORDER)
      }
      // As long as HEAD has not passed it, nobody writes its slot but the reader, and only marks.
      if (load(words, HEAD) === head) break
    }
    // HOLDS is stored before HEAD passes the record, so it is looked at after HEAD.
    return load(words, HOLDS) === 0 ? found : peek(words, HELD_ORDER)
  }

  /** Smallest number of an item of that source that was not given back; Infinity: none. */
  oldestItem(source: number): number {
    const { words } = this
    let oldest = Number.POSITIVE_INFINITY
    const tail = load(words, TAIL)
    for (let count = load(words, HEAD); isBefore(count, tail); count = (count + 1) | 0) {
      const slot = this.slot(count)
      const kind = peek(words, slot + KIND)
      if ((kind & (KIND_MASK | CONSUMED)) !== ITEM || !isFrom(kind, source)) continue
      oldest = Math.min(oldest, readItem(words, slot))
    }
    if (load(words, HOLDS) === 0 || !isFrom(peek(words, HELD_KIND), source)) return oldest
    return Math.min(oldest, joinWords(peek(words, HELD_ITEM_LOW), peek(words, HELD_ITEM_HIGH)))
  }

  /**
   * Tells `found` of every slab of that pool that a record which was not given back refers to: right for an instant
   * between call and return, also while both ends move. Returning true ends the search. Undefined: any may be meant.
   */
  eachSlab(pool: number, found: (start: number, units: number) => boolean): 'found' | 'all' | undefined {
    const { words } = this
    const tail = load(words, TAIL)
    for (let count = load(words, HEAD); isBefore(count, tail); count = (count + 1) | 0) {
      const slot = this.slot(count)
      // Loaded, not peeked: who sees that it was given back sees what was published before.
      if ((load(words, slot + KIND) & (KIND_MASK | CONSUMED | HAS_SLABS)) !== (ITEM | HAS_SLABS)) continue
      const refs = readRefs(this.arena, peek(words, slot + OFFSET), peek(words, slot + LENGTH), this.#refs)
      const copy: number[] = []
      for (let index = 0; refs.first >= 0 && index < refs.count; index++) {
        const at = refs.first + index * REF_WORDS
        if (peek(this.arena, at) === pool) copy.push(peek(this.arena, at + 1), peek(this.arena, at + 2))
      }
      // Given back meanwhile: what was read may be another record's.
      if (isBefore(count, load(words, HEAD))) continue
      for (let index = 0; index < copy.length; index += 2)
        if (found(copy[index], copy[index + 1])) return 'found'
    }
    return this.#eachHeldSlab(pool, found)
  }

  /** HOLDS is stored before HEAD passes the record, so it is looked at after HEAD. */
  #eachHeldSlab(pool: number, found: (start: number, units: number) => boolean): 'found' | 'all' | undefined {
    const { words } = this
    if (load(words, HOLDS) === 0) return undefined
    const count = peek(words, HELD_SLABS)
    if (count === HELD_ALL) return 'all'
    for (let at = HELD_REFS; at < HELD_REFS + Math.min(count, HELD_REFS_MAX) * REF_WORDS; at += REF_WORDS) {
      if (peek(words, at) === pool && found(peek(words, at + 1), peek(words, at + 2))) return 'found'
    }
    return undefined
  }

  #isEnd(tail: number): boolean {
    return (peek(this.words, this.slot((tail - 1) | 0) + KIND) & KIND_MASK) === END
  }
}

/** HEAD is loaded after TAIL, and may have gone past what TAIL was: then nothing is left of that. */
function isBefore(count: number, tail: number): boolean {
  return ((tail - count) | 0) > 0
}

export function joinWords(low: number, high: number): number {
  return high === 0 ? low >>> 0 : (low >>> 0) + high * TWO_32
}

export function readItem(words: Words, slot: number): number {
  return joinWords(peek(words, slot + ITEM_LOW), peek(words, slot + ITEM_HIGH))
}

export function readDropped(words: Words): number {
  return joinWords(peek(words, DROPPED), peek(words, DROPPED_LAPS))
}

function readOrigin(words: Words, slot: number): Origin {
  return {
    item: readItem(words, slot),
    source: (peek(words, slot + KIND) >> SOURCE_SHIFT) & 0xff,
    order: peek(words, slot + ORDER),
    madeBy: peek(words, slot + MADE_BY) >>> 0,
    part: peek(words, slot + PART),
  }
}

export function readNewest(
  words: Words,
  tail: number,
  slotOf: (count: number) => number,
): (Origin & { isEnd: boolean }) | undefined {
  if (tail === 0 && peek(words, TAIL_LAPS) === 0) return undefined
  const slot = slotOf((tail - 1) | 0)
  return { ...readOrigin(words, slot), isEnd: (peek(words, slot + KIND) & KIND_MASK) === END }
}

/** A batch with items of several sources counts for each of them: see unit-gatherer.ts. */
function isFrom(kind: number, source: number): boolean {
  const its = (kind >> SOURCE_SHIFT) & 0xff
  return its === source || its === MIXED_SOURCES
}
