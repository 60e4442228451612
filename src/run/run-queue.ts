/** A queue of a run, as those see it who watch it: from which stage to which, and what went through it. */
import type { LaneView } from '../queue/lane.ts'
import { IDLE, OPEN, type QueueMemory } from '../queue/queue-memory.ts'

export type Overflow = 'block' | 'drop-new' | 'drop-old'

export interface QueuePlace {
  from: string
  to: string
  /** Name of the branch that it begins, after a split. */
  branch: string | undefined
  kind: 'items' | 'dead-letters'
  overflow: Overflow
  isPartitioned: boolean
}

export class RunQueue {
  readonly from: string
  readonly to: string
  readonly branch: string | undefined
  readonly kind: 'items' | 'dead-letters'
  readonly overflow: Overflow
  readonly isPartitioned: boolean
  readonly memory: QueueMemory

  constructor(memory: QueueMemory, place: QueuePlace) {
    this.memory = memory
    this.from = place.from
    this.to = place.to
    this.branch = place.branch
    this.kind = place.kind
    this.overflow = place.overflow
    this.isPartitioned = place.isPartitioned
  }

  get capacity(): number {
    return this.memory.capacity
  }

  /** Items in it now. Its lanes are looked at one after the other: while it is used, nearly. */
  get level(): number {
    return Math.min(
      this.capacity,
      this.#sum((lane) => lane.level),
    )
  }

  /** Most items seen in it; with several lanes, at most that many: their peaks need not have come together. */
  get peak(): number {
    return Math.min(
      this.capacity,
      this.#sum((lane) => lane.peak),
    )
  }

  /** Items ever put. */
  get passed(): number {
    return this.#sum((lane) => lane.passed)
  }

  /** Items that overflow cost: those it had no room for (`drop-new`), or that made room for others (`drop-old`). */
  get dropped(): number {
    return this.memory.dropped
  }

  /** The lanes into that consumer, producer by producer. */
  lanesTo(consumer: number): LaneView[] {
    const { memory } = this
    return Array.from({ length: memory.producers }, (_, producer) => memory.laneView(producer, consumer))
  }

  /** The lanes from that producer, consumer by consumer. */
  lanesFrom(producer: number): LaneView[] {
    const { memory } = this
    return Array.from({ length: memory.consumers }, (_, consumer) => memory.laneView(producer, consumer))
  }

  /**
   * Whether that producer has, or may come to have, something to put. SENTINEL is its last word: it lies in the lanes a
   * moment before its end is known to have been left, and a consumer that has taken it may be gone by then.
   */
  mayBePutBy(producer: number): boolean {
    const state = this.memory.state('producer', producer)
    if (state !== OPEN && state !== IDLE) return false
    return !this.lanesFrom(producer).every((lane) => lane.newest?.isEnd)
  }

  #sum(count: (lane: LaneView) => number): number {
    let total = 0
    for (let consumer = 0; consumer < this.memory.consumers; consumer++) {
      for (const lane of this.lanesTo(consumer)) total += count(lane)
    }
    return total
  }
}
