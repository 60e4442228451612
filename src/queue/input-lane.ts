/** A lane as the worker that reads it sees it: what lies at its cursor, and whether anything may still come. */
import type { SlabOpener } from './codec/reader.ts'
import type { Doorbell } from './doorbell.ts'
import type { LaneReader } from './lane-reader.ts'
import { DONE, GONE, OPEN, PARKED, type QueueMemory } from './queue-memory.ts'

/** There is a record that can be taken. */
export const ITEM_THERE = 0
/** Nothing now. */
export const NOTHING_NOW = 1
/** Nothing now, and its producer has no worker; one may come. */
export const NOBODY_THERE = 2
/** Nothing any more. */
export const OVER = 3

export type Look = typeof ITEM_THERE | typeof NOTHING_NOW | typeof NOBODY_THERE | typeof OVER

export class InputLane {
  readonly reader: LaneReader
  readonly memory: QueueMemory
  readonly producer: number
  readonly writerBell: Doorbell
  /** Records not taken, or fewer, at which a sleeping writer is woken. */
  readonly wakeAt: number
  readonly #consumer: number
  readonly #fairShare: number
  /** Woken for the sake of another reader since so few were left here. */
  #hasWokenForOther = false
  /** Its number among the lanes of its worker. */
  readonly number: number
  /** DONE after SENTINEL, GONE after a writer that left without it; else 0. */
  ended = 0

  constructor(
    memory: QueueMemory,
    producer: number,
    consumer: number,
    options: { number: number; isLate: boolean; isClaiming: boolean; slabs: SlabOpener | undefined },
  ) {
    this.memory = memory
    this.producer = producer
    this.#consumer = consumer
    this.reader = options.isClaiming
      ? memory.claimingLaneReader(producer, consumer, options.slabs)
      : memory.laneReader(producer, consumer, options.slabs)
    this.writerBell = memory.doorbell('producer', producer)
    this.#fairShare = memory.laneShare(producer)
    this.wakeAt = options.isLate ? this.#fairShare >> 1 : Number.POSITIVE_INFINITY
    this.number = options.number
  }

  look(): Look {
    if (this.ended !== 0) return OVER
    const { memory, reader } = this
    // Read before the lane: what was put before the close, or before the writer left, is seen below.
    const { isClosed } = memory
    const state = memory.state('producer', this.producer)
    if (!reader.isEmpty()) {
      if (!reader.isEnd()) return ITEM_THERE
      // SENTINEL stays at the head: the next life of a reader that dies now must see it too.
      this.ended = DONE
      return OVER
    }
    if (state >= DONE) this.ended = GONE
    if (this.ended !== 0 || isClosed) return OVER
    return state === PARKED ? NOBODY_THERE : NOTHING_NOW
  }

  /** After a record was given back. */
  wakeWriter(): void {
    const { reader, writerBell, wakeAt } = this
    if (wakeAt === Number.POSITIVE_INFINITY) {
      writerBell.ring()
      return
    }
    if (reader.atHand <= wakeAt) {
      this.#hasWokenForOther = false
      if (!writerBell.mayWantRoom) return
      reader.level()
      if (reader.atHand <= wakeAt) writerBell.ring()
    }
    if (reader.atHand >= this.#fairShare) this.#wakeForOther()
  }

  /**
   * Where more than a fair share lies here, a reader that came later may have nothing, and would wait for most of it. Once:
   * the writer may have to put here all that an input gives.
   */
  #wakeForOther(): void {
    if (this.#hasWokenForOther || !this.writerBell.mayWantRoom) return
    const { memory } = this
    for (let other = 0; other < memory.consumers; other++) {
      if (other === this.#consumer || memory.state('consumer', other) !== OPEN) continue
      if (!memory.doorbell('consumer', other).mayWantItems) continue
      this.#hasWokenForOther = true
      this.writerBell.ring()
      return
    }
  }

  /**
   * Whether there is enough to end a doze for: it is half full, what is next is large, or its writer has ended. A writer that
   * waits itself puts no more, and may have looked for dozing readers before this one was.
   */
  get isWorthWaking(): boolean {
    const { reader } = this
    if (reader.level() * 2 >= this.memory.laneShare(this.producer)) return true
    if (reader.atHand > 0 && (reader.isNextLarge || !this.writerBell.isAwake)) return true
    return this.ended === 0 && this.memory.state('producer', this.producer) >= DONE
  }
}
