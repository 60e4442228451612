/**
 * All that a worker reads: the lanes of its input queues, taken in turn or merged by order. One thread.
 *
 * `poll` finds a record, which stays until it is given back. Either `commit` takes and gives back the found one, or `take`
 * puts it in hand under a ticket: several may be in hand, and `release` gives them back in any order. A record is given
 * back after its outputs are published; then its writer is woken if it waits for room, and so are the readers
 * downstream that wait for this worker to be done with it (order-floor.ts).
 */
import { bug } from '../errors.ts'
import type { Doorbell } from './doorbell.ts'
import { InputLane, ITEM_THERE, NOBODY_THERE, NOTHING_NOW, OVER } from './input-lane.ts'
import { COUNT_BITS, type Found, type LaneReader } from './lane-reader.ts'
import { OrderedMerge } from './order-floor.ts'
import { DONE, GONE, PARKED, type QueueMemory, RETIRING } from './queue-memory.ts'
import type { Slabs } from './slabs.ts'

/** What `poll` found. */
export type Poll = 'item' | 'empty' | 'ended'

/** One of the queues, and the end of it. */
export interface InputEnd {
  memory: QueueMemory
  index: number
  /**
   * Its lanes are sorted, and are to be merged: the queue into its producers, the one before it, and so on to the one
   * that the numbering point fills. Without effect where there is one producer.
   */
  upstream?: readonly QueueMemory[] | undefined
  /** Its writers drop the oldest: a record is taken out of the lane when it is found. One in hand at a time. */
  claiming?: boolean | undefined
}

export interface ReaderOptions {
  /** The one bell on which the worker sleeps. */
  bell: Doorbell
  /**
   * When a writer that found its lane full is woken: 'at-once' at the first free place; 'late' when no more than a half
   * is left to read, which saves most wake-ups. Late is safe only for a reader that goes on reading.
   */
  wakeWriter?: 'at-once' | 'late' | undefined
  /** Rung, if asleep, after a record was given back. */
  releaseBells?: readonly Doorbell[] | undefined
  /** The slabs that records may refer to; without, none may come. */
  slabs?: Slabs | undefined
}

const MAX_LANES = 1 << (32 - COUNT_BITS)
const COUNT_MASK = (1 << COUNT_BITS) - 1
const NO_BELLS: readonly Doorbell[] = []

export class InputReader {
  readonly bell: Doorbell
  readonly #inputs: readonly InputEnd[]
  readonly #lanes: InputLane[] = []
  /** What is looked at in turn: a lane by itself, or the merge of a queue's lanes. */
  readonly #places: (InputLane | OrderedMerge)[] = []
  readonly #releaseBells: readonly Doorbell[]
  readonly #isClaiming: boolean
  readonly #slabs: Slabs | undefined
  /** Where the found record is. */
  #lane: InputLane
  #reader: LaneReader
  /** A lane by itself may be looked at directly: whatever lies there is next. */
  #isPlain: boolean
  #place = 0
  #held = 0
  readonly #found: Found = { ticket: 0, item: 0, source: 0, order: 0 }

  constructor(inputs: readonly InputEnd[], options: ReaderOptions) {
    this.bell = options.bell
    this.#inputs = inputs
    this.#releaseBells = options.releaseBells ?? NO_BELLS
    this.#slabs = options.slabs
    this.#isClaiming = inputs.some((input) => input.claiming === true)
    for (const input of inputs) this.#addInput(input, options.wakeWriter === 'late')
    if (this.#lanes.length === 0 || this.#lanes.length > MAX_LANES) {
      throw bug(`a worker with ${this.#lanes.length} input lanes`)
    }
    this.#lane = this.#lanes[0]
    this.#reader = this.#lane.reader
    this.#isPlain = !this.#isClaiming && this.#places[0] === this.#lane
  }

  /**
   * Looks for an item; after 'item' it can be read, and stays until it is taken.
   * 'ended': every producer sent SENTINEL, or left, or the queue was closed, and nothing is left.
   */
  poll(): Poll {
    if (this.#isPlain && !this.#reader.isEmpty() && !this.#reader.isEnd()) return 'item'
    for (;;) {
      const found = this.#lookAround()
      if (found !== ITEM_THERE) return found === NOTHING_NOW ? 'empty' : 'ended'
      if (this.#reader.claim()) return 'item'
    }
  }

  readonly isReady = (): boolean => {
    if (this.#isPlain && !this.#reader.isEmpty() && !this.#reader.isEnd()) return true
    return this.#lookAround() !== NOTHING_NOW
  }

  /** Whether there is enough to end a doze for. See doorbell.ts. */
  readonly isWorthWaking = (): boolean => {
    for (const lane of this.#lanes) if (lane.isWorthWaking) return this.isReady()
    return this.#inputs.some(({ memory }) => memory.isClosed)
  }

  /** The value of the item that `poll` found. @throws MILLRACE_CORRUPT_RECORD */
  read(): unknown {
    return this.#reader.read()
  }

  /** The found item: one object, filled anew each time. */
  get found(): Readonly<Found> {
    const found = this.#found
    this.#reader.describe(found)
    found.ticket = this.id
    return found
  }

  /** Ticket of the found item: names it as long as it is in its lane, also to the next life of this worker. */
  get id(): number {
    return this.#ticket(this.#reader.count)
  }

  /** Number of the found item at its source. */
  get item(): number {
    return this.#reader.item
  }

  get source(): number {
    return this.#reader.source
  }

  /** ORDER of the found item, signed. */
  get order(): number {
    return this.#reader.order
  }

  /** The batch that an earlier life took the found item into; 0: none. */
  get batch(): number {
    return this.#reader.batch
  }

  /** Bytes that the found item takes in its lane. */
  get bytes(): number {
    return this.#reader.length
  }

  /** What has not been given back, in all lanes: what an earlier life may have had in hand, and what it never saw. */
  uncommitted(): { ticket: number; batch: number }[] {
    const found: { ticket: number; batch: number }[] = []
    let number = 0
    for (const { memory, index } of this.#inputs) {
      for (let producer = 0; producer < memory.producers; producer++, number++) {
        for (const { count, batch, isConsumed } of memory.laneView(producer, index).remaining()) {
          if (!isConsumed) found.push({ ticket: ticketOf(number, count), batch })
        }
      }
    }
    return found
  }

  /** Whether the item that the ticket names has not been given back, by whichever life. Before any is taken. */
  has(ticket: number): boolean {
    const lane = this.#lanes[ticket >>> COUNT_BITS]
    return lane?.reader.has(lane.reader.countOf(ticket)) ?? false
  }

  /** Records in the lanes now. */
  get waiting(): number {
    return this.#lanes.reduce((sum, { reader }) => sum + reader.level(), 0)
  }

  /** Whether a writer waits for room, and was not answered. */
  get isWaitedFor(): boolean {
    if (this.#slabs?.isWaitedFor) return true
    return this.#inputs.some(({ memory }) => memory.isWaitedFor)
  }

  /** Lets writers that wait for room look again. */
  answerWaits(): void {
    for (const { memory } of this.#inputs) memory.answerWaits()
    this.#slabs?.answer()
  }

  /** Takes the found item in hand; its ticket. */
  take(): number {
    const ticket = this.#ticket(this.#reader.take())
    this.#held++
    this.#moveOn()
    return ticket
  }

  /** The value of an item in hand. @throws MILLRACE_CORRUPT_RECORD */
  readTicket(ticket: number): unknown {
    const { reader } = this.#laneOf(ticket)
    return reader.readAt(reader.countOf(ticket))
  }

  /** Writes into an item in hand which batch it belongs to: for the next life of this worker. */
  mark(ticket: number, batch: number): void {
    const { reader } = this.#laneOf(ticket)
    reader.mark(reader.countOf(ticket), batch)
  }

  /** Gives an item in hand back. */
  release(ticket: number): void {
    const lane = this.#laneOf(ticket)
    const hasMadeRoom = lane.reader.release(lane.reader.countOf(ticket))
    this.#held--
    this.#slabs?.answer()
    if (!hasMadeRoom) return
    lane.wakeWriter()
    this.#ringReleased()
  }

  /** Takes the found item and gives it back. */
  commit(): void {
    const lane = this.#lane
    if (this.#reader.commit()) {
      lane.wakeWriter()
      this.#ringReleased()
    }
    this.#slabs?.answer()
    this.#moveOn()
  }

  /** Items in hand. */
  get held(): number {
    return this.#held
  }

  /** Items given back, in all lives of this worker. */
  get committed(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.reader.committed, 0)
  }

  /** Whether a producer left without SENTINEL. Known once `poll` said 'ended'. */
  get isProducerGone(): boolean {
    return this.#lanes.some((lane) => lane.ended === GONE)
  }

  /** Reads no more: producers learn that their reader is gone. */
  leave(): void {
    for (const { memory, index } of this.#inputs) memory.leave('consumer', index, DONE)
    this.#slabs?.answer()
  }

  /** Whether this worker was told to retire, has nothing left, and gets nothing more: it may `park`. */
  get isRetired(): boolean {
    if (this.#held > 0) return false
    // First that nothing more comes, then that nothing is there.
    let isRetiring = false
    for (const { memory, index } of this.#inputs) {
      // An earlier life had begun to give its ends up.
      if (memory.state('consumer', index) === PARKED) continue
      if (!memory.hasRetired(index)) return false
      isRetiring = true
    }
    if (!isRetiring) return false
    return this.#lanes.every((lane) => lane.look() !== ITEM_THERE)
  }

  /** Gives its ends up until a worker is wanted again; false if one is wanted already: it goes on. */
  park(): boolean {
    let isParked = true
    for (const { memory, index } of this.#inputs) isParked = memory.park('consumer', index) && isParked
    if (!isParked) for (const { memory, index } of this.#inputs) memory.openEnd('consumer', index)
    return isParked
  }

  /** Whether it has been told to retire. */
  get isRetiring(): boolean {
    const states = this.#inputs.map(({ memory, index }) => memory.state('consumer', index))
    return states.includes(RETIRING) && states.every((state) => state === RETIRING || state === PARKED)
  }

  #addInput({ memory, index, upstream, claiming = false }: InputEnd, isLate: boolean): void {
    const lanes: InputLane[] = []
    const slabs = this.#slabs
    for (let producer = 0; producer < memory.producers; producer++) {
      const number = this.#lanes.length
      const lane = new InputLane(memory, producer, index, { number, isLate, isClaiming: claiming, slabs })
      lanes.push(lane)
      this.#lanes.push(lane)
    }
    const isMerged = upstream !== undefined && upstream.length > 0 && lanes.length > 1
    if (isMerged) this.#places.push(new OrderedMerge(lanes, upstream))
    else this.#places.push(...lanes)
  }

  /** Goes round; twice if only ends without a worker are left: one that came before the others ended is seen now. */
  #lookAround(): number {
    let found = this.#lookOnce()
    if (found === NOBODY_THERE) found = this.#lookOnce()
    if (found === NOBODY_THERE) found = OVER
    if (this.#isClaiming) this.#passOnDrops()
    return found
  }

  #lookOnce(): number {
    const count = this.#places.length
    let least: number = OVER
    for (let turn = 0; turn < count; turn++) {
      let index = this.#place + turn
      if (index >= count) index -= count
      const place = this.#places[index]
      const seen = place.look()
      if (seen === ITEM_THERE) {
        this.#place = index
        this.#settle(place instanceof InputLane ? place : place.found)
        return seen
      }
      if (seen < least) least = seen
    }
    return least
  }

  #settle(lane: InputLane): void {
    this.#lane = lane
    this.#reader = lane.reader
    this.#isPlain = !this.#isClaiming && this.#places[this.#place] === lane
  }

  /** To the next in turn; a merge looks by itself which is next. */
  #moveOn(): void {
    if (this.#places.length === 1) return
    this.#place++
    if (this.#place === this.#places.length) this.#place = 0
    const place = this.#places[this.#place]
    if (place instanceof InputLane) this.#settle(place)
    else this.#isPlain = false
  }

  #ticket(count: number): number {
    return ticketOf(this.#lane.number, count)
  }

  #laneOf(ticket: number): InputLane {
    const lane = this.#lanes[ticket >>> COUNT_BITS]
    if (lane === undefined) throw bug(`ticket ${ticket} names no lane`)
    return lane
  }

  #ringReleased(): void {
    const bells = this.#releaseBells
    for (let index = 0; index < bells.length; index++) if (bells[index].mayWantItems) bells[index].ring()
  }

  #passOnDrops(): void {
    for (const { reader } of this.#lanes) if (reader.takeOvertaken()) this.#ringReleased()
  }
}

function ticketOf(lane: number, count: number): number {
  return ((lane << COUNT_BITS) | (count & COUNT_MASK)) >>> 0
}
