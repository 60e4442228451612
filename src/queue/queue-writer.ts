/** The producer's end of a queue: chooses the lane, publishes, rings the reader. One thread at a time. */
import { AWAKE, DOZING, type Doorbell, ROOM } from './doorbell.ts'
import type { Origin } from './lane.ts'
import type { LaneWriter } from './lane-writer.ts'
import { DONE, GONE, IDLE, OPEN, PARKED, type QueueMemory, RETIRING } from './queue-memory.ts'
import type { Slabs } from './slabs.ts'

/**
 * `'full'`: no room now. `'closed'`: no consumer will ever read it; the item was not put.
 * `'dropped'`: no room, and the queue drops what comes then.
 */
export type TryPutResult = 'ok' | 'full' | 'closed' | 'dropped'

export interface WriterOptions {
  /** What becomes of an item that finds no room. Default 'block': it is refused, to be put again. */
  overflow?: 'block' | 'drop-new' | 'drop-old' | undefined
  /** This end gives the orders: see order-floor.ts. */
  isNumbered?: boolean | undefined
  /** Several inputs, one after the other, may have the same order, and theirs must be kept. */
  mayContinue?: boolean | undefined
  /** The lane is that of the item's key: a number, 0 or more, that depends on the key alone. */
  keyHash?: ((value: unknown) => number) | undefined
  /** What lies in these travels by reference; without, it is copied. */
  slabs?: Slabs | undefined
}

/** No consumer will ever read. */
const NOBODY = -1
/** Consumers may come; none may be given anything now. */
const NOBODY_NOW = -2
/** Of a writer that has nothing to put: higher than any epoch. */
const RESTING = 0x7fffffff

export class QueueWriter {
  readonly bell: Doorbell
  readonly #memory: QueueMemory
  readonly #index: number
  readonly #lanes: LaneWriter[]
  readonly #readerBells: Doorbell[]
  readonly #overflow: 'block' | 'drop-new' | 'drop-old'
  readonly #slabs: Slabs | undefined
  readonly #isNumbered: boolean
  /** One consumer numbers anew what it makes: nobody looks here, unless orders may be gone with what was dropped. */
  readonly #storesNumber: boolean
  readonly #mayContinue: boolean
  readonly #keyHash: ((value: unknown) => number) | undefined
  /** Items that all its lanes may hold, and each of them. */
  readonly #share: number
  readonly #laneShare: number
  #hasEnded: boolean
  #seen: number
  /** The lane put to last, and the order put there: outputs of one input stay together. */
  #lastLane = -1
  #lastOrder = 0
  /** The only lane that the refused item may go to; -1: any. */
  #boundTo = -1

  constructor(memory: QueueMemory, index: number, options: WriterOptions = {}) {
    this.#memory = memory
    this.#index = index
    this.bell = memory.doorbell('producer', index)
    this.#lanes = []
    this.#readerBells = []
    for (let consumer = 0; consumer < memory.consumers; consumer++) {
      this.#lanes.push(memory.laneWriter(index, consumer, options.slabs))
      this.#readerBells.push(memory.doorbell('consumer', consumer))
    }
    this.#overflow = options.overflow ?? 'block'
    this.#slabs = options.slabs
    this.#isNumbered = options.isNumbered ?? false
    this.#storesNumber = this.#isNumbered && (memory.consumers > 1 || this.#overflow !== 'block')
    this.#mayContinue = options.mayContinue ?? false
    this.#keyHash = options.keyHash
    this.#share = memory.share(index)
    this.#laneShare = memory.laneShare(index)
    this.#hasEnded = memory.state('producer', index) >= DONE
    // Not noted in shared memory before the input that an earlier life had in hand is done with: see `refresh`.
    this.#seen = -1
    this.#takeUp()
  }

  /** Puts an item if there is room. @throws MILLRACE_NOT_CLONEABLE, MILLRACE_ITEM_TOO_LARGE */
  tryPut(value: unknown, origin: Origin): TryPutResult {
    if (this.#hasEnded || this.#memory.peekClosed) return 'closed'
    const order = origin.order | 0
    const lane =
      this.#lanes.length === 1
        ? this.#laneOf(this.#memory.peekState('consumer', 0))
        : this.#chooseFor(value, order)
    if (lane < 0) return lane === NOBODY ? 'closed' : 'full'
    // Before the record: whoever sees it sees that all before it went out.
    if (this.#storesNumber) this.#memory.storeNumber((order - 1) | 0)
    if (!this.#hasRoomFor(lane) || !this.#lanes[lane].tryPut(value, origin)) {
      if (this.#overflow === 'block') return 'full'
      if (this.#overflow === 'drop-new') {
        this.#memory.countRefused(this.#index)
        return 'dropped'
      }
      this.#putDroppingOld(lane, value, origin)
    }
    this.#lastLane = lane
    this.#lastOrder = order
    this.#wakeReader(lane)
    return 'ok'
  }

  /**
   * Notes which consumers retire; they wait for it. Call it before waiting for anything but room, with nothing half
   * put. A put of a new input does it, too.
   */
  refresh(): void {
    if (this.#memory.epoch === this.#seen) return
    const state = this.#lastLane < 0 ? OPEN : this.#memory.state('consumer', this.#lastLane)
    if (state === RETIRING || state === PARKED) {
      // What comes next may belong to what went there last: its reader has to stay until that is known.
      if (this.#mayContinue) return
      this.#lastLane = -1
    }
    this.#noteRetired()
  }

  /**
   * It may take long until there is a next input: consumers that retire need not wait for it. Which are there is looked at
   * before the next put.
   */
  rest(): void {
    if (this.#lanes.length === 1 || this.#seen === RESTING) return
    this.#seen = RESTING
    this.#memory.storeSeen(this.#index, RESTING)
  }

  /** Wakes readers that doze over items of ours. Call it when a wait is announced, before the look that comes after that. */
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

  /** Whether an earlier life had begun to put SENTINEL: it had published everything else. */
  get hasEndedLane(): boolean {
    return this.#lanes.some((lane) => lane.hasEnded)
  }

  /** What made the newest record of each lane that has one. */
  newestOfLanes(): Origin[] {
    const newest = this.#lanes.map((lane) => lane.newest())
    return newest.filter((origin) => origin !== undefined && !origin.isEnd) as Origin[]
  }

  /** Gives its end up until a worker is wanted again. */
  park(): void {
    this.#memory.park('producer', this.#index)
  }

  /** It is about to wait for room that a reader may be holding back for a batch. */
  announceWait(): void {
    this.#memory.announceWait(this.#index)
  }

  /** How many outputs of that input an earlier life has published here. */
  published(madeBy: number): number {
    let count = 0
    for (const lane of this.#lanes) {
      const newest = lane.newest()
      if (newest === undefined || newest.isEnd || newest.madeBy !== madeBy >>> 0) continue
      count = Math.max(count, newest.part + 1)
    }
    return count
  }

  /** The highest order published, or refused, here; undefined: nothing was, or only SENTINEL is known. */
  get newestOrder(): number | undefined {
    const { number } = this.#memory
    // What was dropped had an order, too.
    let order = this.#isNumbered && number !== 0 ? number : undefined
    for (const lane of this.#lanes) {
      const newest = lane.newest()
      if (newest === undefined || newest.isEnd) continue
      if (order === undefined || ((newest.order - order) | 0) > 0) order = newest.order
    }
    return order
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
    const lane = this.#boundTo >= 0 ? this.#stateOfBound() : this.#chooseLane()
    if (this.#boundTo < 0) this.#noteRetired()
    if (lane < 0) return lane === NOBODY
    return this.#hasRoomFor(lane) && this.#lanes[lane].hasRoom()
  }

  /** Whether every consumer has gone, or the queue is closed. */
  get isClosed(): boolean {
    return this.#memory.isClosed || this.#chooseLane() === NOBODY
  }

  #noteRetired(): void {
    const { epoch } = this.#memory
    if (epoch === this.#seen) return
    this.#seen = epoch
    this.#memory.storeSeen(this.#index, epoch)
  }

  /** A reader that dozes is let doze until its lane is half full, or what was put is large: see doorbell.ts. */
  #wakeReader(lane: number): void {
    const bell = this.#readerBells[lane]
    const { sleep } = bell
    if (sleep === AWAKE || sleep === ROOM) return
    if (sleep === DOZING && !this.#isWorthWaking(this.#lanes[lane])) return
    bell.ring()
  }

  /** The record that makes the lane half full; one after it would wake a merge that waits for another lane each time. */
  #isWorthWaking(lane: LaneWriter): boolean {
    if (lane.isNewestLarge) return true
    const twice = lane.level * 2
    return twice >= this.#laneShare && twice < this.#laneShare + 2
  }

  #onlyLane(): number {
    return this.#laneOf(this.#memory.state('consumer', 0))
  }

  /** That of the only consumer, by its state. */
  #laneOf(state: number): number {
    if (state >= DONE) return NOBODY
    return state < IDLE ? NOBODY_NOW : 0
  }

  /** The lane for this item, and whether it must be that one. */
  #chooseFor(value: unknown, order: number): number {
    if (this.#keyHash !== undefined) {
      this.#boundTo = this.#keyHash(value) % this.#lanes.length
      return this.#stateOfBound()
    }
    // Outputs of one input go one way, so that their order holds; also to a consumer that has begun to retire.
    if (order === this.#lastOrder && this.#lastLane >= 0 && !this.#isNumbered) {
      const state = this.#memory.state('consumer', this.#lastLane)
      if (state < DONE && state !== PARKED) {
        this.#boundTo = this.#lastLane
        return this.#lastLane
      }
    }
    this.#boundTo = -1
    // Nothing of the order before can follow.
    this.#noteRetired()
    return this.#chooseLane()
  }

  #stateOfBound(): number {
    const state = this.#memory.state('consumer', this.#boundTo)
    if (state >= DONE) return NOBODY
    return state === PARKED ? NOBODY_NOW : this.#boundTo
  }

  /**
   * The open lane whose reader has the fewest items in hand or before it; of several the one whose reader sleeps: the
   * others may be busy; else in turn. Before any reader came, the first one's.
   */
  #chooseLane(): number {
    const count = this.#lanes.length
    if (count === 1) return this.#onlyLane()
    let best = -1
    let bestLevel = Number.POSITIVE_INFINITY
    let firstIdle = -1
    let mayCome = false
    for (let turn = 1; turn <= count; turn++) {
      let lane = this.#lastLane + turn
      if (lane >= count) lane -= count
      const state = this.#memory.state('consumer', lane)
      if (state === IDLE && (firstIdle < 0 || lane < firstIdle)) firstIdle = lane
      if (state < IDLE) mayCome = true
      if (state !== OPEN) continue
      const { level } = this.#lanes[lane]
      if (level < bestLevel || (level === bestLevel && this.#sleepsRather(lane, best))) {
        best = lane
        bestLevel = level
      }
    }
    if (best >= 0) return best
    if (firstIdle >= 0) return firstIdle
    return mayCome ? NOBODY_NOW : NOBODY
  }

  #sleepsRather(lane: number, than: number): boolean {
    return this.#readerBells[lane].mayWantItems && !this.#readerBells[than].mayWantItems
  }

  /** Whether its share of the capacity has room left for this lane. One lane checks that itself. */
  #hasRoomFor(lane: number): boolean {
    if (this.#lanes.length === 1) return true
    if (this.#keyHash !== undefined) return this.#lanes[lane].level < this.#laneShare
    // What lies in the lane of a reader that has left will never be read, and must not stop the others.
    let used = 0
    for (let consumer = 0; consumer < this.#lanes.length; consumer++) {
      if (this.#memory.state('consumer', consumer) < DONE) used += this.#lanes[consumer].level
    }
    return used < this.#share
  }

  /**
   * Ends: an item that fits the lane at all finds room in it when it is empty, and nobody else fills it. A reader that
   * has lost a record need not be told: it was rung when that was put, so it will look, and see (claiming-lane-reader.ts).
   */
  #putDroppingOld(lane: number, value: unknown, origin: Origin): void {
    const isKeyed = this.#keyHash !== undefined
    while (!this.#hasRoomFor(lane)) this.#lanes[isKeyed ? lane : this.#fullest(lane)].dropOldest()
    while (!this.#lanes[lane].tryPut(value, origin)) this.#lanes[lane].dropOldest()
    this.#slabs?.answer()
  }

  /** Of several as full, this one. */
  #fullest(than: number): number {
    let fullest = than
    let most = this.#lanes[than].level
    for (let lane = 0; lane < this.#lanes.length; lane++) {
      if (this.#memory.state('consumer', lane) >= DONE || this.#lanes[lane].level <= most) continue
      fullest = lane
      most = this.#lanes[lane].level
    }
    return fullest
  }

  /** Goes on where an earlier life had got to: the outputs of one input that are missing go where the others went. */
  #takeUp(): void {
    for (const [index, lane] of this.#lanes.entries()) {
      const newest = lane.newest()
      if (newest === undefined || newest.isEnd) continue
      if (this.#lastLane >= 0 && ((newest.order - this.#lastOrder) | 0) <= 0) continue
      this.#lastLane = index
      this.#lastOrder = newest.order
    }
  }
}
