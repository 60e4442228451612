/** The producer's end of a queue: chooses the lane, publishes, rings the reader. One thread at a time. */
import type { Doorbell } from './doorbell.ts'
import type { LaneWriter, Origin } from './lane.ts'
import { DONE, GONE, IDLE, OPEN, type QueueMemory } from './queue-memory.ts'

/** `'full'`: no room now. `'closed'`: no consumer will ever read it; the item was not put. */
export type TryPutResult = 'ok' | 'full' | 'closed'

export class QueueWriter {
  readonly bell: Doorbell
  readonly #memory: QueueMemory
  readonly #index: number
  readonly #lanes: LaneWriter[]
  readonly #readerBells: Doorbell[]
  readonly #share: number
  #hasEnded: boolean

  constructor(memory: QueueMemory, index: number) {
    this.#memory = memory
    this.#index = index
    this.bell = memory.doorbell('producer', index)
    this.#lanes = []
    this.#readerBells = []
    for (let consumer = 0; consumer < memory.consumers; consumer++) {
      this.#lanes.push(memory.laneWriter(index, consumer))
      this.#readerBells.push(memory.doorbell('consumer', consumer))
    }
    this.#share = memory.share(index)
    this.#hasEnded = memory.state('producer', index) >= DONE
  }

  /** Puts an item if there is room. @throws MILLRACE_NOT_CLONEABLE, MILLRACE_ITEM_TOO_LARGE */
  tryPut(value: unknown, origin: Origin): TryPutResult {
    if (this.#hasEnded || this.#memory.isClosed) return 'closed'
    const lane = this.#chooseLane()
    if (lane < 0) return 'closed'
    if (this.#isShareUsed() || !this.#lanes[lane].tryPut(value, origin)) return 'full'
    this.#wakeReader(lane)
    return 'ok'
  }

  /** Wakes readers that doze over items of ours. Call it before waiting for anything but room. */
  flush(): void {
    for (const bell of this.#readerBells) if (bell.isDozing) bell.ring()
  }

  /** Publishes SENTINEL to every consumer; never waits. False if the queue is closed or has been ended. */
  putEnd(origin: Origin): boolean {
    if (this.#hasEnded || this.#memory.isClosed) return false
    this.#hasEnded = true
    for (const [consumer, lane] of this.#lanes.entries()) {
      lane.putEnd(origin)
      this.#readerBells[consumer].ring()
    }
    this.#memory.leave('producer', this.#index, DONE)
    // Puts of this thread that still wait for room: it is over.
    this.bell.ring()
    return true
  }

  /** Leaves without SENTINEL. */
  leave(): void {
    this.#hasEnded = true
    this.#memory.leave('producer', this.#index, GONE)
    this.bell.ring()
  }

  /** Whether a refused put may go through now, or never will. */
  readonly isReady = (): boolean => {
    if (this.#hasEnded || this.#memory.isClosed) return true
    const lane = this.#chooseLane()
    return lane < 0 || (!this.#isShareUsed() && this.#lanes[lane].hasRoom())
  }

  /** Whether every consumer has gone, or the queue is closed. */
  get isClosed(): boolean {
    return this.#memory.isClosed || this.#chooseLane() < 0
  }

  /** A reader that dozes is let doze until its lane is half full: see doorbell.ts. */
  #wakeReader(lane: number): void {
    const bell = this.#readerBells[lane]
    if (bell.isAwake || (bell.isDozing && this.#lanes[lane].level * 2 < this.#share)) return
    bell.ring()
  }

  /**
   * The open lane with the fewest items, of several the one whose reader sleeps: the others may be busy with the last
   * they took. Before any reader came, the first one's; -1: all left.
   */
  #chooseLane(): number {
    if (this.#lanes.length === 1) return this.#memory.state('consumer', 0) >= DONE ? -1 : 0
    let best = -1
    let bestLevel = Number.POSITIVE_INFINITY
    let firstIdle = -1
    for (let lane = 0; lane < this.#lanes.length; lane++) {
      const state = this.#memory.state('consumer', lane)
      if (state === IDLE && firstIdle < 0) firstIdle = lane
      if (state !== OPEN) continue
      const { level } = this.#lanes[lane]
      if (level < bestLevel || (level === bestLevel && this.#sleepsRather(lane, best))) {
        best = lane
        bestLevel = level
      }
    }
    return best >= 0 ? best : firstIdle
  }

  #sleepsRather(lane: number, than: number): boolean {
    return this.#readerBells[lane].isAsleep && !this.#readerBells[than].isAsleep
  }

  /**
   * Whether this producer's lanes hold its whole share of the capacity. One lane checks that itself. What lies in the
   * lane of a reader that has left will never be read, and must not stop the others.
   */
  #isShareUsed(): boolean {
    if (this.#lanes.length === 1) return false
    let used = 0
    for (const [consumer, lane] of this.#lanes.entries()) {
      if (this.#memory.state('consumer', consumer) < DONE) used += lane.level
    }
    return used >= this.#share
  }
}
