/** The bounded queue between any two threads, as users have it. The work is done by its two ends. */
import { threadId } from 'node:worker_threads'
import { checkKnown, invalidOption, MillraceError } from '../errors.ts'
import { EMPTY, type Empty, SENTINEL, type Sentinel } from '../sentinel.ts'
import type { Doorbell } from './doorbell.ts'
import { InputReader, type ReaderOptions } from './input-reader.ts'
import type { LaneView } from './lane.ts'
import { DONE, type QueueHandle, QueueMemory } from './queue-memory.ts'
import { QueueWriter, type TryPutResult } from './queue-writer.ts'
import type { StopEvent } from './stop-event.ts'
import { keepForThreads, watchThreads } from './thread-watch.ts'
import { checkTransfer, detach, type Transferable } from './transfer.ts'

export interface BoundedQueueOptions {
  /** Items it holds at most, over all producers. Default 64. */
  capacity?: number
  /** Bytes it holds at most; each lane (producer x consumer) has its part of them. Default 16 MiB. */
  capacityBytes?: number
  /** Threads that put. Each has its share of the capacity. Default 1. */
  producers?: number
  /** Threads that get. An item goes to one of them, chosen when it is put. Default 1. */
  consumers?: number
  /** The stop event that wakes every blocked put and get. Default: one of its own, that nobody sets. */
  stop?: StopEvent
  /** For messages. Default 'queue'. */
  name?: string
}

export interface PutOptions {
  /** How long to wait for room, in milliseconds. Default: for ever. */
  timeoutMs?: number
  /** Gives up when this is set to 'abort', besides the queue's own stop event. */
  stop?: StopEvent
  /** ArrayBuffers to move: empty here once the item was put. They are copied once. */
  transfer?: Transferable[]
}

export interface GetOptions {
  /** How long to wait for an item, in milliseconds. Default: for ever. */
  timeoutMs?: number
  /** Gives up when this is set to 'abort', besides the queue's own stop event. */
  stop?: StopEvent
}

/**
 * `'ok'`: it was put. `'full'`: no room (in `timeoutMs`). `'closed'`: the queue was closed or ended, or its
 * readers are gone. `'stopped'`: the stop event was set.
 */
export type PutResult = Exclude<TryPutResult, 'dropped'> | 'stopped'

const DEFAULT_CAPACITY = 64
const DEFAULT_CAPACITY_BYTES = 16 * 2 ** 20

/** This thread's objects, by the queue's id: an end belongs to a thread, not to an object. */
const here = new Map<string, WeakRef<BoundedQueue<unknown>>>()
const gone = new FinalizationRegistry<string>((id) => {
  if (here.get(id)?.deref() === undefined) here.delete(id)
})

/**
 * A queue between threads, bounded by items and by bytes.
 *
 * Values travel as `structuredClone` carries them. A thread takes a producer's end with its first put and a
 * consumer's end with its first get. What was put before `close()` can still be got.
 *
 * @example
 * const queue = new BoundedQueue<string>({ capacity: 1 })
 * queue.tryPut('a') // => 'ok'
 * queue.tryPut('b') // => 'full'
 * queue.tryGet() // => 'a'
 * queue.tryGet() // => EMPTY
 */
export class BoundedQueue<T = unknown> {
  readonly #memory: QueueMemory
  #writer: QueueWriter | undefined
  #reader: InputReader | undefined
  #puts = 0
  /** Puts of this thread that wait for room, in their order. */
  readonly #line: object[] = []

  /** @throws MILLRACE_INVALID_OPTION */
  constructor(options: BoundedQueueOptions | QueueMemory = {}) {
    this.#memory = options instanceof QueueMemory ? options : allocate(options)
    here.set(this.#memory.id, new WeakRef(this))
    gone.register(this, this.#memory.id)
    watchThreads(this.#memory)
  }

  /** The same queue, in another thread (or in this one). @throws MILLRACE_BAD_HANDLE */
  static from<T = unknown>(handle: QueueHandle): BoundedQueue<T> {
    const memory = QueueMemory.from(handle)
    keepForThreads(memory)
    return (here.get(memory.id)?.deref() ?? new BoundedQueue(memory)) as BoundedQueue<T>
  }

  /** Plain data that travels in `workerData` or `postMessage`, with nothing to transfer. */
  get handle(): QueueHandle {
    keepForThreads(this.#memory)
    return this.#memory.handle
  }

  get capacity(): number {
    return this.#memory.capacity
  }

  get capacityBytes(): number {
    return this.#memory.capacityBytes
  }

  /** The stop event that wakes its blocked puts and gets. */
  get stop(): StopEvent {
    return this.#memory.stop
  }

  /** Items in it now. Its lanes are looked at one after the other: while threads use it, nearly. */
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

  get isClosed(): boolean {
    return this.#memory.isClosed
  }

  /** Items that nobody will get: they lie in the lanes of consumers that have left. */
  get abandoned(): number {
    return this.#sum((lane, _, consumer) =>
      this.#memory.state('consumer', consumer) >= DONE ? lane.level : 0,
    )
  }

  /** Puts an item if there is room, and no earlier put of this thread waits. Never waits. @throws MILLRACE_NOT_CLONEABLE, MILLRACE_ITEM_TOO_LARGE */
  tryPut(item: T | Sentinel, options: Pick<PutOptions, 'transfer'> = {}): PutResult {
    if (this.#line.length > 0 && !this.stop.isSet) return this.writer().isClosed ? 'closed' : 'full'
    return this.#putNow(item, options)
  }

  #putNow(item: T | Sentinel, options: Pick<PutOptions, 'transfer'>): PutResult {
    const writer = this.writer()
    if (this.stop.isSet) return 'stopped'
    const { transfer } = options
    if (transfer !== undefined) checkTransfer(transfer)
    const number = this.#puts + 1
    const origin = { item: number, source: 0, order: number, madeBy: number, part: 0 }
    if (item === SENTINEL) return writer.putEnd(origin) ? 'ok' : 'closed'
    // It drops nothing: its writer was made to block.
    const result = writer.tryPut(item, origin) as PutResult
    if (result === 'ok') {
      this.#puts++
      if (transfer !== undefined) detach(transfer)
    }
    return result
  }

  /**
   * Puts an item, waiting for room on the event loop; puts of one thread keep their order. The item is copied when
   * there is room for it: leave it alone until then. SENTINEL waits only for earlier puts.
   */
  async put(item: T | Sentinel, options: PutOptions = {}): Promise<PutResult> {
    const deadline = deadlineOf(options)
    if (this.#line.length === 0) {
      if (options.stop?.isSet) return 'stopped'
      const result = this.#putNow(item, options)
      if (result !== 'full') return result
    }
    const place = {}
    this.#line.push(place)
    try {
      return await this.#putInTurn(place, item, options, deadline)
    } finally {
      this.#line.splice(this.#line.indexOf(place), 1)
      // The next in line waits on the same bell, for its turn.
      if (this.#line.length > 0) this.writer().bell.ring()
    }
  }

  async #putInTurn(
    place: object,
    item: T | Sentinel,
    options: PutOptions,
    deadline: number,
  ): Promise<PutResult> {
    const writer = this.writer()
    const turn: WaitingEnd = {
      bell: writer.bell,
      isReady: () => writer.isClosed || (this.#line[0] === place && (item === SENTINEL || writer.isReady())),
    }
    for (;;) {
      if (!(await this.#wait(turn, deadline, options.stop))) return 'full'
      if (options.stop?.isSet) return 'stopped'
      if (this.#line[0] !== place && !this.stop.isSet) return 'closed'
      const result = this.#putNow(item, options)
      if (result !== 'full') return result
    }
  }

  /** Puts an item, blocking this thread until there is room: never on the main thread, whose Ctrl-C it blocks. */
  putSync(item: T | Sentinel, options: PutOptions = {}): PutResult {
    const deadline = deadlineOf(options)
    this.#checkStop(options.stop)
    for (;;) {
      // Not behind puts that wait on the event loop: it cannot turn while this blocks.
      const result = this.#putNow(item, options)
      if (result !== 'full') return result
      if (!this.#waitSync(this.writer(), deadline)) return 'full'
    }
  }

  /**
   * Takes the next item; EMPTY if there is none now; SENTINEL, at every call from then on, if none will come.
   * @throws MILLRACE_PRODUCER_GONE when a producer's thread ended without SENTINEL and nothing is left
   */
  tryGet(): T | Empty | Sentinel {
    const reader = this.reader()
    if (this.stop.isSet) return EMPTY
    const found = reader.poll()
    if (found === 'empty') return EMPTY
    if (found === 'ended') {
      if (!reader.isProducerGone || this.isClosed) return SENTINEL
      throw new MillraceError(
        'MILLRACE_PRODUCER_GONE',
        'a producer of the queue is gone and sent no SENTINEL',
      )
    }
    try {
      return reader.read() as T
    } finally {
      reader.commit()
    }
  }

  /** Takes the next item, waiting on the event loop. EMPTY: `timeoutMs` passed, or the stop was set. */
  async get(options: GetOptions = {}): Promise<T | Empty | Sentinel> {
    const deadline = deadlineOf(options)
    for (;;) {
      const item = options.stop?.isSet ? EMPTY : this.tryGet()
      if (item !== EMPTY || this.stop.isSet || options.stop?.isSet) return item
      if (!(await this.#wait(this.reader(), deadline, options.stop))) return EMPTY
    }
  }

  /** Takes the next item, blocking this thread: never on the main thread, whose Ctrl-C it blocks. */
  getSync(options: GetOptions = {}): T | Empty | Sentinel {
    const deadline = deadlineOf(options)
    this.#checkStop(options.stop)
    for (;;) {
      const item = this.tryGet()
      if (item !== EMPTY || this.stop.isSet) return item
      if (!this.#waitSync(this.reader(), deadline)) return EMPTY
    }
  }

  /** Takes items until SENTINEL, or until the stop is set. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const item = await this.get()
      if (item === SENTINEL || item === EMPTY) return
      yield item as T
    }
  }

  /**
   * Closes it for all: puts give 'closed' at once, gets what was put before, then SENTINEL. A put of another thread that is
   * under way meanwhile may still give 'ok', and its item be left: let the threads that put end the stream instead.
   */
  close(): boolean {
    return this.#memory.close()
  }

  /** This thread reads no more: producers that have no other reader get 'closed' at once. */
  leaveAsConsumer(): void {
    this.reader().leave()
  }

  /** This thread's producer end, for those who build on it. @throws MILLRACE_END_TAKEN */
  writer(): QueueWriter {
    this.#writer ??= new QueueWriter(this.#memory, this.#memory.claim('producer', threadId))
    return this.#writer
  }

  /** This thread's consumer end, for those who build on it. @throws MILLRACE_END_TAKEN */
  reader(options?: Pick<ReaderOptions, 'wakeWriter'>): InputReader {
    if (this.#reader !== undefined) return this.#reader
    const memory = this.#memory
    const index = memory.claim('consumer', threadId)
    this.#reader = new InputReader([{ memory, index }], {
      ...options,
      bell: memory.doorbell('consumer', index),
    })
    return this.#reader
  }

  /** Its shared memory, for those who watch. */
  get memory(): QueueMemory {
    return this.#memory
  }

  async #wait(end: WaitingEnd, deadline: number, other: StopEvent | undefined): Promise<boolean> {
    if (other === undefined || other.isSameAs(this.stop)) {
      return end.bell.wait(() => end.isReady() || this.stop.isSet, deadline - performance.now())
    }
    // Another board's stop does not ring here; this thread's view of it does.
    const { signal } = other
    const ring = () => end.bell.ring()
    signal.addEventListener('abort', ring)
    try {
      const ready = () => end.isReady() || this.stop.isSet || other.isSet
      return await end.bell.wait(ready, deadline - performance.now())
    } finally {
      signal.removeEventListener('abort', ring)
    }
  }

  #waitSync(end: WaitingEnd, deadline: number): boolean {
    return end.bell.waitSync(() => end.isReady() || this.stop.isSet, deadline - performance.now())
  }

  /** Refused also where there is no need to wait: it must not depend on the load. */
  #checkStop(other: StopEvent | undefined): void {
    if (other === undefined || other.isSameAs(this.stop)) return
    throw new MillraceError(
      'MILLRACE_STOP_NOT_LINKED',
      "a blocked thread can be woken only by the queue's own stop event",
    )
  }

  #sum(count: (lane: LaneView, producer: number, consumer: number) => number): number {
    let total = 0
    for (let producer = 0; producer < this.#memory.producers; producer++) {
      for (let consumer = 0; consumer < this.#memory.consumers; consumer++) {
        total += count(this.#memory.laneView(producer, consumer), producer, consumer)
      }
    }
    return total
  }
}

/**
 * The one stop event that a stage and its queues share; none if nobody brought one.
 * @throws MILLRACE_STOP_NOT_LINKED if they differ: setting one would not wake who waits on another's queue
 */
export function sameStop(
  stage: string,
  given: StopEvent | undefined,
  ...queues: (BoundedQueue | undefined)[]
): StopEvent | undefined {
  let stop = given
  for (const queue of queues) {
    if (queue === undefined) continue
    stop ??= queue.stop
    if (stop.isSameAs(queue.stop)) continue
    throw new MillraceError(
      'MILLRACE_STOP_NOT_LINKED',
      `stage "${stage}": its queues have different stop events`,
      {
        stage,
      },
    )
  }
  return stop
}

interface WaitingEnd {
  readonly bell: Doorbell
  readonly isReady: () => boolean
}

const OPTIONS = ['capacity', 'capacityBytes', 'producers', 'consumers', 'stop', 'name']

function allocate(options: BoundedQueueOptions): QueueMemory {
  checkKnown('queue', options, OPTIONS)
  const {
    capacity = DEFAULT_CAPACITY,
    capacityBytes = DEFAULT_CAPACITY_BYTES,
    producers = 1,
    consumers = 1,
  } = options
  const { name = 'queue', stop } = options
  return QueueMemory.allocate({ name, capacity, capacityBytes, producers, consumers }, stop)
}

function deadlineOf({ timeoutMs = Number.POSITIVE_INFINITY }: { timeoutMs?: number }): number {
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw invalidOption('queue', 'timeoutMs', 'a number of milliseconds, 0 or more', timeoutMs)
  }
  return performance.now() + timeoutMs
}
