/**
 * The shared memory of a queue: its header, its ends, and where its lanes lie.
 *
 * A queue of P producers and C consumers is P x C lanes. Each end has a line of its own in the header: who
 * holds it (a thread), its state, its doorbell. In a queue between any threads a state only moves forward:
 * IDLE (never used) -> OPEN -> DONE (ended in order) or GONE (its thread ended without saying so).
 *
 * Between two stages of a run the number of workers may change. There an end that has no worker is PARKED, and opens
 * again when one comes. A consumer goes in two steps, so that nothing is left in its lanes: RETIRING, it gets no more;
 * PARKED, when it has finished what it had. That it gets no more is known when every producer has SEEN the EPOCH
 * of its retiring: the state is stored first, EPOCH raised second; a producer notes EPOCH in SEEN between two
 * inputs, and reads the states again at each put.
 */
import { MillraceError } from '../errors.ts'
import { allocateMemory } from './allocate-memory.ts'
import { add, compareExchange, load, peek, poke, store, type Words } from './atomics.ts'
import { ClaimingLaneReader } from './claiming-lane-reader.ts'
import type { SlabOpener } from './codec/reader.ts'
import { ShapeReader } from './codec/shape-reader.ts'
import { ShapeWriter } from './codec/shape-writer.ts'
import type { Doorbell } from './doorbell.ts'
import { joinWords, LaneView } from './lane.ts'
import { LaneReader } from './lane-reader.ts'
import { LaneWriter } from './lane-writer.ts'
import {
  checkShape,
  ENDS,
  headerWords,
  LINE,
  laneBytesOf,
  layOutQueue,
  type QueueLayout,
  type QueueShape,
} from './queue-layout.ts'
import { makeId, readId } from './shared-id.ts'
import type { RecordSlabs } from './slab-refs.ts'
import { StopEvent, type StopHandle } from './stop-event.ts'

export const IDLE = 0
export const OPEN = 1
export const DONE = 2
export const GONE = 3
/** No worker now; one may come. */
export const PARKED = -1
/** A consumer that finishes what it has and gets no more. */
export const RETIRING = -2

export type Role = 'producer' | 'consumer'

const MAGIC = 0x6d696c31
const PRODUCERS = 1
const CONSUMERS = 2
const CAPACITY = 3
const CAPACITY_BYTES = 4
const CLOSED = 5
const ID = 6
const EPOCH = 8
const LANE_BYTES = 9

const OWNER = 0
const STATE = 1
const BELL = 2
/** Producer 0: the order up to which all has been published or went elsewhere. */
const NUMBER = 3
/** Producers: the EPOCH up to which membership is known. */
const SEEN = 4
/** Producers: items refused for want of room, and how often that count has run over. */
const DROPPED = 5
const DROPPED_LAPS = 6
/** Consumers: the EPOCH of its retiring; 0 while that is not known. */
const RETIRED_AT = 7
/** Producers: it waits for room, and no consumer has answered. */
const WAITS = 8

/** What `queue.handle` gives: travels in `workerData` or `postMessage`, inside one process. */
export interface QueueHandle {
  readonly kind: 'millrace.queue/1'
  readonly memory: SharedArrayBuffer
  readonly stop: StopHandle
}

export class QueueMemory {
  readonly memory: SharedArrayBuffer
  readonly stop: StopEvent
  readonly producers: number
  readonly consumers: number
  readonly capacity: number
  readonly capacityBytes: number
  readonly laneBytes: number
  readonly #words: Words
  readonly #layout: QueueLayout
  /** By producer: those of its lanes share what it has learned. */
  readonly #shapeWriters: ShapeWriter[] = []
  readonly #shapeReaders: ShapeReader[] = []

  private constructor(memory: SharedArrayBuffer, stop: StopEvent) {
    const words = new Int32Array(memory, 0, LINE)
    this.memory = memory
    this.stop = stop
    this.producers = peek(words, PRODUCERS)
    this.consumers = peek(words, CONSUMERS)
    this.capacity = peek(words, CAPACITY)
    this.capacityBytes = peek(words, CAPACITY_BYTES)
    this.laneBytes = peek(words, LANE_BYTES)
    this.#words = new Int32Array(memory, 0, headerWords(this.producers, this.consumers))
    this.#layout = layOutQueue(this)
  }

  /**
   * Allocates a queue's memory and takes a doorbell for each of its ends, on a stop event of its own if none is given.
   * @throws MILLRACE_INVALID_OPTION
   */
  static allocate(
    shape: QueueShape,
    given: StopEvent | undefined,
    bells?: { producers: readonly number[]; consumers: readonly number[] },
  ): QueueMemory {
    checkShape(shape)
    const stop = given ?? new StopEvent({ doorbells: shape.producers + shape.consumers })
    const memory = allocateMemory(layOutQueue(shape).totalBytes)
    const words = new Int32Array(memory, 0, headerWords(shape.producers, shape.consumers))
    poke(words, 0, MAGIC)
    poke(words, PRODUCERS, shape.producers)
    poke(words, CONSUMERS, shape.consumers)
    poke(words, CAPACITY, shape.capacity)
    poke(words, CAPACITY_BYTES, shape.capacityBytes)
    poke(words, LANE_BYTES, laneBytesOf(shape))
    makeId(words, ID)
    for (let end = 0; end < shape.producers + shape.consumers; end++) {
      const bell = end < shape.producers ? bells?.producers[end] : bells?.consumers[end - shape.producers]
      poke(words, ENDS + end * LINE + BELL, bell ?? stop.takeDoorbell())
    }
    return new QueueMemory(memory, stop)
  }

  /** @throws MILLRACE_BAD_HANDLE */
  static from(handle: QueueHandle): QueueMemory {
    const { memory } = handle ?? {}
    const isOurs =
      handle?.kind === 'millrace.queue/1' &&
      memory instanceof SharedArrayBuffer &&
      memory.byteLength >= LINE * 4 &&
      peek(new Int32Array(memory, 0, 1), 0) === MAGIC
    if (!isOurs)
      throw new MillraceError('MILLRACE_BAD_HANDLE', 'BoundedQueue.from() needs what queue.handle gave')
    return new QueueMemory(memory, StopEvent.from(handle.stop))
  }

  get handle(): QueueHandle {
    return { kind: 'millrace.queue/1', memory: this.memory, stop: this.stop.handle }
  }

  get id(): string {
    return readId(this.#words, ID)
  }

  get isClosed(): boolean {
    return load(this.#words, CLOSED) === 1
  }

  /** `isClosed`, and `state`, for between two items: as of a moment ago. Before a wait the others are to be asked. */
  get peekClosed(): boolean {
    return peek(this.#words, CLOSED) === 1
  }

  peekState(role: Role, index: number): number {
    return peek(this.#words, this.#end(role, index) + STATE)
  }

  /** Whether this call closed it. Stored first, rung second: both sides see it at once. */
  close(): boolean {
    const isFirst = compareExchange(this.#words, CLOSED, 0, 1) === 0
    if (isFirst) this.ringAll()
    return isFirst
  }

  /** Whether nobody can wait in it any more: it is closed, or one side has left. */
  get isOver(): boolean {
    return (
      this.isClosed ||
      this.#haveLeft('producer', this.producers) ||
      this.#haveLeft('consumer', this.consumers)
    )
  }

  state(role: Role, index: number): number {
    return load(this.#words, this.#end(role, index) + STATE)
  }

  /** Moves an end's state forward and tells everyone. */
  leave(role: Role, index: number, state: typeof DONE | typeof GONE): void {
    if (this.#change(role, index, state, (now) => now < DONE)) this.ringAll()
  }

  /** A worker takes the end: a new one, the next life of one, or one that had begun to retire. False if it has left. */
  openEnd(role: Role, index: number): boolean {
    if (this.#change(role, index, OPEN, (now) => now < DONE && now !== OPEN)) this.ringAll()
    return this.state(role, index) === OPEN
  }

  /**
   * There is no worker for this end now. False if it has left; or if it is a consumer's that is open: records may be on
   * their way to it, it has to retire first.
   */
  park(role: Role, index: number): boolean {
    const may = (now: number) => now === IDLE || now === RETIRING || (now === OPEN && role === 'producer')
    if (this.#change(role, index, PARKED, may)) this.ringAll()
    return this.state(role, index) === PARKED
  }

  /** An open consumer gets no more from now on. One thread may call this. */
  retire(index: number): void {
    if (this.state('consumer', index) !== OPEN) return
    const at = this.#end('consumer', index) + RETIRED_AT
    store(this.#words, at, 0)
    if (!this.#change('consumer', index, RETIRING, (now) => now === OPEN)) return
    store(this.#words, at, add(this.#words, EPOCH, 1) + 1)
    this.ringAll()
  }

  /** Whether every producer knows that this consumer retires: what is not in its lanes now never will be. */
  hasRetired(index: number): boolean {
    const epoch = load(this.#words, this.#end('consumer', index) + RETIRED_AT)
    if (epoch === 0 || this.state('consumer', index) !== RETIRING) return false
    for (let producer = 0; producer < this.producers; producer++) {
      const state = this.state('producer', producer)
      const seen = load(this.#words, this.#end('producer', producer) + SEEN)
      if ((state === IDLE || state === OPEN) && seen < epoch) return false
    }
    return true
  }

  /** Changes with every consumer that retires. */
  get epoch(): number {
    return load(this.#words, EPOCH)
  }

  /** The producer knows who has retired up to there, and has nothing half put. Tells those who wait for it. */
  storeSeen(producer: number, epoch: number): void {
    store(this.#words, this.#end('producer', producer) + SEEN, epoch)
    for (let consumer = 0; consumer < this.consumers; consumer++) {
      if (this.state('consumer', consumer) === RETIRING) this.doorbell('consumer', consumer).ring()
    }
  }

  /** The order up to which everything was published here or went elsewhere; signed. */
  get number(): number {
    return load(this.#words, ENDS + NUMBER)
  }

  storeNumber(order: number): void {
    store(this.#words, ENDS + NUMBER, order)
  }

  /** Items that overflowed: refused, or taken out again to make room. */
  get dropped(): number {
    let sum = 0
    for (let producer = 0; producer < this.producers; producer++) {
      const at = this.#end('producer', producer)
      sum += joinWords(peek(this.#words, at + DROPPED), peek(this.#words, at + DROPPED_LAPS))
      for (const lane of this.#lanesOfEnd('producer', producer)) sum += lane.dropped
    }
    return sum
  }

  countRefused(producer: number): void {
    const at = this.#end('producer', producer)
    const dropped = (peek(this.#words, at + DROPPED) + 1) | 0
    if (dropped === 0) poke(this.#words, at + DROPPED_LAPS, peek(this.#words, at + DROPPED_LAPS) + 1)
    poke(this.#words, at + DROPPED, dropped)
  }

  /** The producer is about to wait for room: tells consumers that hold records back to batch them. */
  announceWait(producer: number): void {
    if (compareExchange(this.#words, this.#end('producer', producer) + WAITS, 0, 1) !== 0) return
    for (let consumer = 0; consumer < this.consumers; consumer++) this.doorbell('consumer', consumer).ring()
  }

  /** Whether a producer has said that it waits for room, and was not answered. */
  get isWaitedFor(): boolean {
    for (let producer = 0; producer < this.producers; producer++) {
      if (load(this.#words, this.#end('producer', producer) + WAITS) === 1) return true
    }
    return false
  }

  /** Lets the producers that wait look again. One that finds no room says so once more. */
  answerWaits(): void {
    for (let producer = 0; producer < this.producers; producer++) {
      const at = this.#end('producer', producer) + WAITS
      if (compareExchange(this.#words, at, 1, 0) === 1) this.doorbell('producer', producer).ring()
    }
  }

  /** Whether this call changed it. */
  #change(role: Role, index: number, to: number, may: (now: number) => boolean): boolean {
    const at = this.#end(role, index) + STATE
    for (;;) {
      const now = load(this.#words, at)
      if (!may(now)) return false
      if (compareExchange(this.#words, at, now, to) === now) return true
    }
  }

  /**
   * Takes an end for a thread: the one it has already, or the first that nobody took.
   * @throws MILLRACE_END_TAKEN
   */
  claim(role: Role, threadId: number): number {
    const count = role === 'producer' ? this.producers : this.consumers
    const owner = threadId + 1
    for (let index = 0; index < count; index++) {
      const at = this.#end(role, index)
      if (
        load(this.#words, at + OWNER) === owner ||
        compareExchange(this.#words, at + OWNER, 0, owner) === 0
      ) {
        compareExchange(this.#words, at + STATE, IDLE, OPEN)
        return index
      }
    }
    throw new MillraceError(
      'MILLRACE_END_TAKEN',
      `the queue was made for ${count} ${role}${count === 1 ? '' : 's'}, and another thread came`,
    )
  }

  /** Gives an end that a thread holds to another: the next life of a worker. */
  transfer(role: Role, index: number, threadId: number): void {
    const at = this.#end(role, index)
    store(this.#words, at + OWNER, threadId + 1)
    store(this.#words, at + STATE, OPEN)
  }

  /**
   * Marks every end that the thread holds as gone. Call it when the thread has ended. Rings for all, whether it held an end or
   * not: it may have died as it told the others that it left, or that the queue is closed.
   */
  markThreadGone(threadId: number): void {
    for (const [role, count] of [
      ['producer', this.producers],
      ['consumer', this.consumers],
    ] as const) {
      for (let index = 0; index < count; index++) {
        const at = this.#end(role, index)
        if (load(this.#words, at + OWNER) === threadId + 1) {
          this.#change(role, index, GONE, (now) => now < DONE)
        }
      }
    }
    for (let end = 0; end < this.producers; end++) this.doorbell('producer', end).ringAnyway()
    for (let end = 0; end < this.consumers; end++) this.doorbell('consumer', end).ringAnyway()
  }

  doorbell(role: Role, index: number): Doorbell {
    return this.stop.doorbell(this.bell(role, index))
  }

  /** Number, on the stop event's board, of the bell on which that end sleeps. */
  bell(role: Role, index: number): number {
    return peek(this.#words, this.#end(role, index) + BELL)
  }

  ringAll(): void {
    for (let index = 0; index < this.producers; index++) this.doorbell('producer', index).ring()
    for (let index = 0; index < this.consumers; index++) this.doorbell('consumer', index).ring()
  }

  laneWriter(producer: number, consumer: number, slabs?: RecordSlabs | undefined): LaneWriter {
    this.#shapeWriters[producer] ??= new ShapeWriter(this.memory, this.#layout.shapesAt[producer])
    const at = this.#laneOf(producer, consumer)
    return new LaneWriter(this.memory, at, this.#layout.lanes[producer], slabs, this.#shapeWriters[producer])
  }

  laneReader(producer: number, consumer: number, slabs?: SlabOpener | undefined): LaneReader {
    const at = this.#laneOf(producer, consumer)
    return new LaneReader(this.memory, at, this.#layout.lanes[producer], slabs, this.#shapeReader(producer))
  }

  claimingLaneReader(producer: number, consumer: number, slabs?: SlabOpener | undefined): ClaimingLaneReader {
    const at = this.#laneOf(producer, consumer)
    const shapes = this.#shapeReader(producer)
    return new ClaimingLaneReader(this.memory, at, this.#layout.lanes[producer], slabs, shapes)
  }

  laneView(producer: number, consumer: number): LaneView {
    return new LaneView(this.memory, this.#laneOf(producer, consumer), this.#layout.lanes[producer])
  }

  /** The lanes of the end that the thread has or had; none if it never took one. */
  lanesOf(role: Role, threadId: number): LaneView[] {
    const count = role === 'producer' ? this.producers : this.consumers
    for (let index = 0; index < count; index++) {
      if (load(this.#words, this.#end(role, index) + OWNER) === threadId + 1)
        return this.#lanesOfEnd(role, index)
    }
    // Before the worker took its end: with one end there is no doubt which it will be.
    return count === 1 ? this.#lanesOfEnd(role, 0) : []
  }

  #lanesOfEnd(role: Role, index: number): LaneView[] {
    const others = role === 'producer' ? this.consumers : this.producers
    return Array.from({ length: others }, (_, other) =>
      role === 'producer' ? this.laneView(index, other) : this.laneView(other, index),
    )
  }

  /** Items that producer may have in its lanes, in all. */
  share(producer: number): number {
    return this.#layout.lanes[producer].capacity
  }

  /** What a lane of that producer holds when all its lanes hold the same. */
  laneShare(producer: number): number {
    return Math.max(1, Math.floor(this.share(producer) / this.consumers))
  }

  #haveLeft(role: Role, count: number): boolean {
    for (let index = 0; index < count; index++) if (this.state(role, index) < DONE) return false
    return true
  }

  #laneOf(producer: number, consumer: number): number {
    const { lanes, laneAt } = this.#layout
    return laneAt[producer] + consumer * lanes[producer].totalBytes
  }

  #shapeReader(producer: number): ShapeReader {
    this.#shapeReaders[producer] ??= new ShapeReader(this.memory, this.#layout.shapesAt[producer])
    return this.#shapeReaders[producer]
  }

  #end(role: Role, index: number): number {
    return ENDS + (role === 'producer' ? index : this.producers + index) * LINE
  }
}
