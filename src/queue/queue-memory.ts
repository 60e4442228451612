/**
 * The shared memory of a queue: its header, its ends, and where its lanes lie.
 *
 * A queue of P producers and C consumers is P x C lanes. Each end has a line of its own in the header: who
 * holds it (a thread), its state, its doorbell. A state only moves forward:
 * IDLE (never used) -> OPEN -> DONE (ended in order) or GONE (its thread ended without saying so).
 */
import { invalidOption, MillraceError } from '../errors.ts'
import { compareExchange, load, peek, poke, store, type Words } from './atomics.ts'
import type { Doorbell } from './doorbell.ts'
import { type LaneLayout, LaneReader, LaneView, LaneWriter, layOutLane } from './lane.ts'
import { makeId, readId } from './shared-id.ts'
import { StopEvent, type StopHandle } from './stop-event.ts'

export const IDLE = 0
export const OPEN = 1
export const DONE = 2
export const GONE = 3

export type Role = 'producer' | 'consumer'

const LINE = 16
const MAGIC = 0x6d696c31
const PRODUCERS = 1
const CONSUMERS = 2
const CAPACITY = 3
const CAPACITY_BYTES = 4
const CLOSED = 5
const ID = 6
const ENDS = LINE

const OWNER = 0
const STATE = 1
const BELL = 2

const MAX_BYTES = 2 ** 31 - 2 ** 20

/** What `queue.handle` gives: travels in `workerData` or `postMessage`, inside one process. */
export interface QueueHandle {
  readonly kind: 'millrace.queue/1'
  readonly memory: SharedArrayBuffer
  readonly stop: StopHandle
}

export interface QueueShape {
  name: string
  capacity: number
  capacityBytes: number
  producers: number
  consumers: number
}

export class QueueMemory {
  readonly memory: SharedArrayBuffer
  readonly stop: StopEvent
  readonly producers: number
  readonly consumers: number
  readonly capacity: number
  readonly capacityBytes: number
  readonly #words: Words
  readonly #lanes: LaneLayout[]
  readonly #laneAt: number[]

  private constructor(memory: SharedArrayBuffer, stop: StopEvent) {
    const words = new Int32Array(memory, 0, LINE)
    this.memory = memory
    this.stop = stop
    this.producers = peek(words, PRODUCERS)
    this.consumers = peek(words, CONSUMERS)
    this.capacity = peek(words, CAPACITY)
    this.capacityBytes = peek(words, CAPACITY_BYTES)
    this.#words = new Int32Array(memory, 0, headerWords(this.producers, this.consumers))
    const { lanes, laneAt } = layOut(this)
    this.#lanes = lanes
    this.#laneAt = laneAt
  }

  /**
   * Allocates a queue's memory and takes a doorbell for each of its ends, on a stop event of its own if none is given.
   * @throws MILLRACE_INVALID_OPTION
   */
  static allocate(
    shape: QueueShape,
    given: StopEvent | undefined,
    bells?: { producers: number[]; consumers: number[] },
  ): QueueMemory {
    check(shape)
    const stop = given ?? new StopEvent({ doorbells: shape.producers + shape.consumers })
    const memory = new SharedArrayBuffer(layOut(shape).totalBytes)
    const words = new Int32Array(memory, 0, headerWords(shape.producers, shape.consumers))
    poke(words, 0, MAGIC)
    poke(words, PRODUCERS, shape.producers)
    poke(words, CONSUMERS, shape.consumers)
    poke(words, CAPACITY, shape.capacity)
    poke(words, CAPACITY_BYTES, shape.capacityBytes)
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
    const at = this.#end(role, index) + STATE
    const now = load(this.#words, at)
    if (now >= DONE || compareExchange(this.#words, at, now, state) !== now) return
    this.ringAll()
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

  /** Marks every end that the thread holds as gone. Call it when the thread has ended. */
  markThreadGone(threadId: number): void {
    for (const [role, count] of [
      ['producer', this.producers],
      ['consumer', this.consumers],
    ] as const) {
      for (let index = 0; index < count; index++) {
        const at = this.#end(role, index)
        if (load(this.#words, at + OWNER) === threadId + 1) this.leave(role, index, GONE)
      }
    }
  }

  doorbell(role: Role, index: number): Doorbell {
    return this.stop.doorbell(peek(this.#words, this.#end(role, index) + BELL))
  }

  ringAll(): void {
    for (let index = 0; index < this.producers; index++) this.doorbell('producer', index).ring()
    for (let index = 0; index < this.consumers; index++) this.doorbell('consumer', index).ring()
  }

  laneWriter(producer: number, consumer: number): LaneWriter {
    return new LaneWriter(this.memory, this.#laneOf(producer, consumer), this.#lanes[producer])
  }

  laneReader(producer: number, consumer: number): LaneReader {
    return new LaneReader(this.memory, this.#laneOf(producer, consumer), this.#lanes[producer])
  }

  laneView(producer: number, consumer: number): LaneView {
    return new LaneView(this.memory, this.#laneOf(producer, consumer), this.#lanes[producer])
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
    return this.#lanes[producer].capacity
  }

  #haveLeft(role: Role, count: number): boolean {
    for (let index = 0; index < count; index++) if (this.state(role, index) < DONE) return false
    return true
  }

  #laneOf(producer: number, consumer: number): number {
    return this.#laneAt[producer] + consumer * this.#lanes[producer].totalBytes
  }

  #end(role: Role, index: number): number {
    return ENDS + (role === 'producer' ? index : this.producers + index) * LINE
  }
}

function headerWords(producers: number, consumers: number): number {
  return ENDS + (producers + consumers) * LINE
}

/** Each producer has its share of the capacity, so no count is shared between producers. */
function layOut(shape: Omit<QueueShape, 'name'>): {
  lanes: LaneLayout[]
  laneAt: number[]
  totalBytes: number
} {
  const { producers, consumers, capacity, capacityBytes } = shape
  const arenaBytes = Math.floor(capacityBytes / (producers * consumers))
  const lanes: LaneLayout[] = []
  const laneAt: number[] = []
  let at = headerWords(producers, consumers) * 4
  for (let producer = 0; producer < producers; producer++) {
    const share = Math.floor(capacity / producers) + (producer < capacity % producers ? 1 : 0)
    const lane = layOutLane(share, arenaBytes)
    lanes.push(lane)
    laneAt.push(at)
    at += lane.totalBytes * consumers
  }
  return { lanes, laneAt, totalBytes: at }
}

function check(shape: QueueShape): void {
  const subject = `queue "${shape.name}"`
  const { capacity, capacityBytes, producers, consumers } = shape
  for (const [option, value] of Object.entries({ producers, consumers })) {
    if (!Number.isSafeInteger(value) || value < 1 || value > 1024) {
      throw invalidOption(subject, option, 'an integer from 1 to 1,024', value)
    }
  }
  if (!Number.isSafeInteger(capacity) || capacity < 1 || capacity > 2 ** 20) {
    throw invalidOption(subject, 'capacity', 'an integer from 1 to 1,048,576', capacity)
  }
  if (capacity < producers) {
    throw invalidOption(subject, 'capacity', `at least the number of producers (${producers})`, capacity)
  }
  if (
    !Number.isSafeInteger(capacityBytes) ||
    capacityBytes < 64 * producers * consumers ||
    capacityBytes > MAX_BYTES
  ) {
    throw invalidOption(
      subject,
      'capacityBytes',
      `an integer from 64 per lane to ${MAX_BYTES}`,
      capacityBytes,
    )
  }
}
