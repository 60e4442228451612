/** The consumer's end of a queue: takes the lanes in turn, gives records back, rings the writer. One thread. */
import type { Doorbell } from './doorbell.ts'
import type { LaneReader } from './lane.ts'
import { DONE, GONE, type QueueMemory } from './queue-memory.ts'

/** What `poll` found. */
export type Poll = 'item' | 'empty' | 'ended'

export interface ReaderOptions {
  /**
   * When a writer that found its lane full is woken: 'at-once' at the first free place; 'late' when the lane
   * has drained to a half, which saves most wake-ups. Late is safe only for a reader that goes on reading.
   */
  wakeWriter?: 'at-once' | 'late'
}

export class QueueReader {
  readonly bell: Doorbell
  readonly #memory: QueueMemory
  readonly #index: number
  readonly #lanes: LaneReader[]
  readonly #writerBells: Doorbell[]
  /** Per lane: DONE after SENTINEL, GONE after a writer that left without it. */
  readonly #ended: number[]
  /** Level of each lane at which a sleeping writer is woken. */
  readonly #wakeAt: number[]
  #current = 0

  constructor(memory: QueueMemory, index: number, options: ReaderOptions = {}) {
    this.#memory = memory
    this.#index = index
    this.bell = memory.doorbell('consumer', index)
    this.#lanes = []
    this.#writerBells = []
    this.#ended = []
    this.#wakeAt = []
    for (let producer = 0; producer < memory.producers; producer++) {
      this.#lanes.push(memory.laneReader(producer, index))
      this.#writerBells.push(memory.doorbell('producer', producer))
      this.#ended.push(0)
      const isLate = options.wakeWriter === 'late'
      this.#wakeAt.push(isLate ? memory.share(producer) >> 1 : Number.POSITIVE_INFINITY)
    }
  }

  /**
   * Looks for an item; after 'item' it can be read, and stays until `commit`.
   * 'ended': every producer sent SENTINEL, or left, or the queue was closed, and nothing is left.
   */
  poll(): Poll {
    if (!this.#lanes[this.#current].isEmpty() && !this.#lanes[this.#current].isEnd()) return 'item'
    return this.#pollAll()
  }

  readonly isReady = (): boolean => this.poll() !== 'empty'

  /** Whether there is enough to end a doze for: a lane is half full, or its writer has ended. See doorbell.ts. */
  readonly isWorthWaking = (): boolean => {
    for (let index = 0; index < this.#lanes.length; index++) {
      if (this.#lanes[index].level() * 2 >= this.#memory.share(index)) return true
      if (this.#ended[index] === 0 && this.#memory.state('producer', index) >= DONE) return true
    }
    return this.#memory.isClosed
  }

  /** The item that `poll` found. */
  read(): unknown {
    return this.#lanes[this.#current].read()
  }

  /** Number at the source of the item that `poll` found. */
  get seq(): number {
    return this.#lanes[this.#current].seq
  }

  /** Gives the item back; wakes its writer if that waits for room. */
  commit(): void {
    const lane = this.#lanes[this.#current]
    lane.commit()
    this.#wakeWriter(lane)
    if (this.#lanes.length > 1) this.#current = (this.#current + 1) % this.#lanes.length
  }

  #wakeWriter(lane: LaneReader): void {
    const wakeAt = this.#wakeAt[this.#current]
    if (lane.atHand > wakeAt) return
    const bell = this.#writerBells[this.#current]
    if (wakeAt === Number.POSITIVE_INFINITY || (bell.isAsleep && lane.level() <= wakeAt)) bell.ring()
  }

  /** Whether a producer left without SENTINEL. Known once `poll` said 'ended'. */
  get isProducerGone(): boolean {
    return this.#ended.includes(GONE)
  }

  /** Reads no more: producers learn that their reader is gone. */
  leave(): void {
    this.#memory.leave('consumer', this.#index, DONE)
  }

  #pollAll(): Poll {
    // Read before the lanes: what was put before the close, or before the writer left, is seen below.
    const isClosed = this.#memory.isClosed
    let open = 0
    for (let turn = 0; turn < this.#lanes.length; turn++) {
      const index = (this.#current + turn) % this.#lanes.length
      if (this.#ended[index] !== 0) continue
      const writerState = this.#memory.state('producer', index)
      const lane = this.#lanes[index]
      if (!lane.isEmpty()) {
        if (!lane.isEnd()) {
          this.#current = index
          return 'item'
        }
        // SENTINEL stays at the head: the next life of a reader that dies now must see it too.
        this.#ended[index] = DONE
      } else if (writerState >= DONE) this.#ended[index] = GONE
      else open++
    }
    return open === 0 || isClosed ? 'ended' : 'empty'
  }
}
