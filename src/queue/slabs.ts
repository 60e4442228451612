/**
 * Slabs, as one worker has them: memory for large binaries that goes from stage to stage by reference.
 *
 * `alloc` gives a view on a slab. An item that holds such a view, or any other view of the same memory, is put as a
 * record that names the slab instead of holding its bytes, and its reader gets a view on the same memory. Only what
 * `alloc` gave travels so; every other binary is copied, as its reader may keep it for ever.
 *
 * Who may use a slab:
 * - who called `alloc`: until the function that did so has returned (a source: until it has yielded the slab), or until
 *   it has been passed on, whichever comes first;
 * - who got it with an item: until the function that got it has returned;
 * - who has a view after that has a view on whatever is there next. To put such a view is found out and refused.
 *
 * Which slabs are free is read off the lanes: slab-sweep.ts has the protocol. A worker whose slabs are all in use waits
 * where it may block its thread (slab-board.ts); else it gets ordinary memory, which is copied. It does not wait for
 * what it holds itself.
 */
import { encodeToScratch } from './codec/encode.ts'
import { copyOut } from './codec/raw-buffer.ts'
import { viewOn } from './codec/read-binary.ts'
import type { SlabOpener } from './codec/reader.ts'
import type { WhereItLies } from './codec/writer.ts'
import type { Doorbell } from './doorbell.ts'
import type { LaneView } from './lane.ts'
import { type QueueHandle, QueueMemory } from './queue-memory.ts'
import { SlabBoard, SlabCounts } from './slab-board.ts'
import { SlabPool } from './slab-pool.ts'
import { REF_WORDS, type RecordSlabs, UNIT_BYTES, UNIT_SHIFT } from './slab-refs.ts'
import { SlabSweep } from './slab-sweep.ts'
import { SlabView } from './slab-view.ts'

/** Less is given as ordinary memory: to copy it costs less than to keep account of it. */
export const LEAST_SLAB_BYTES = 4096

/** What a worker is told of the slabs of its run. */
export interface SlabTask {
  board: SharedArrayBuffer
  /** Memory of each worker of the run whose slabs may come here, and its own; by its number in the run. */
  pools: readonly (SharedArrayBuffer | undefined)[]
  /** Its own number. */
  worker: number
  /** Bells of the workers whose slabs may come here, and who may wait for them. */
  bells: readonly number[]
  /** Bells of the workers that its own slabs can come to and that hold items back, to batch them. */
  holderBells: readonly number[]
  /** Queues that its own slabs can come to, upstream first. */
  queues: readonly QueueHandle[]
}

export interface SlabSurroundings {
  /** Lanes into this worker. */
  inputs: () => readonly LaneView[]
  doorbell: (bell: number) => Doorbell
  /**
   * Blocks the thread until there is a slab, or none is to be waited for; undefined: the thread must not be blocked.
   */
  wait: ((isReady: () => boolean) => void) | undefined
  /** Views are given as copies, which may be kept. */
  copies: boolean
}

export class Slabs implements RecordSlabs, SlabOpener {
  /** Pool, start and units of each slab that the record being written refers to. */
  readonly refs: number[] = []
  /** Bytes in slabs that it shows. */
  shownBytes = 0
  /** Of the view that was named last. */
  pool = 0
  readonly #pools: readonly (SharedArrayBuffer | undefined)[]
  readonly #poolOf = new Map<ArrayBufferLike, number>()
  readonly #own: SlabPool | undefined
  readonly #worker: number
  readonly #board: SlabBoard
  readonly #counts: SlabCounts
  readonly #around: SlabSurroundings
  readonly #bells: readonly Doorbell[]
  readonly #holderBells: readonly Doorbell[]
  #inputs: readonly LaneView[] | undefined
  /** Slabs of its own that the record being written refers to. */
  #named: { isPassedOn: boolean }[] = []
  /** It is only asked what a value has a view on. */
  #isForgiving = false
  /** Something in a slab has come here. */
  #hasSeen = false

  constructor(task: SlabTask, around: SlabSurroundings) {
    this.#pools = task.pools
    for (const [pool, memory] of task.pools.entries())
      if (memory !== undefined) this.#poolOf.set(memory, pool)
    this.#worker = task.worker
    this.#board = new SlabBoard(task.board)
    this.#counts = new SlabCounts(task.board, task.worker)
    this.#around = around
    this.#bells = task.bells.map(around.doorbell)
    this.#holderBells = task.holderBells.map(around.doorbell)
    const memory = task.pools[task.worker]
    let sweep: SlabSweep | undefined
    this.#own =
      memory &&
      new SlabPool(memory, (into) => {
        sweep ??= new SlabSweep(task.queues.map((handle) => QueueMemory.from(handle)))
        return sweep.collect(task.worker, into)
      })
  }

  /** Slabs in hand that were not passed on. */
  get held(): number {
    return this.#own?.held ?? 0
  }

  /** Memory of so many bytes, in a slab if there is one and they are worth it. */
  alloc(bytes: number, holder: object): Uint8Array {
    const own = this.#own
    if (own === undefined || bytes < LEAST_SLAB_BYTES) return new Uint8Array(bytes)
    const units = Math.ceil(bytes / UNIT_BYTES)
    const slab = own.tryTake(units, holder) ?? this.#waitFor(own, units, holder)
    if (slab === undefined) {
      this.#counts.countCopied()
      return new Uint8Array(bytes)
    }
    this.#counts.countTaken()
    this.#counts.held = own.held
    return new SlabView(own.memory, slab.start * UNIT_BYTES, bytes)
  }

  #waitFor(own: SlabPool, units: number, holder: object) {
    const { wait } = this.#around
    if (wait === undefined || !own.mayComeBack || units * UNIT_BYTES > own.memory.maxByteLength)
      return undefined
    this.#counts.countWait()
    let slab = undefined as ReturnType<SlabPool['tryTake']>
    wait(() => {
      if (this.#board.announceWait()) for (const bell of this.#holderBells) bell.ring()
      slab ??= own.tryTake(units, holder)
      return slab !== undefined || !own.mayComeBack
    })
    return slab
  }

  /** The holder's function has returned: what it did not pass on is free. */
  letGo(holder: object): void {
    if (this.#own === undefined || this.#own.held === 0) return
    this.#own.letGo(holder)
    this.#counts.held = this.#own.held
  }

  /** An item is where it was to go: what it refers to is no longer this worker's. */
  letGoPassedOn(): void {
    if (this.#own === undefined || this.#own.held === 0) return
    this.#own.letGoPassedOn()
    this.#counts.held = this.#own.held
  }

  /** Gives up whatever of its own the value has a view on: it was put, or will not be. */
  letGoOf(value: unknown): void {
    if (this.#own === undefined || this.#own.held === 0) return
    this.#isForgiving = true
    try {
      encodeToScratch(value, this)
    } catch {
      // It cannot travel, as a whole; what of it lies in slabs before that place is given up.
    } finally {
      this.#isForgiving = false
    }
    this.publish()
    this.letGoPassedOn()
  }

  /** Something was given back: rings those who may wait for it. */
  answer(): void {
    if (this.#hasSeen) this.#board.answer(this.#bells)
  }

  /** Whether a worker waits for a slab, perhaps for one that is held here. */
  get isWaitedFor(): boolean {
    return this.#hasSeen && this.#board.isWaitedFor
  }

  // What the codec asks.

  /** For every record that is written: to set the length of an array costs as much as to write a short text. */
  begin(): void {
    if (this.refs.length === 0 && this.shownBytes === 0) return
    this.refs.length = 0
    this.shownBytes = 0
    this.#named.length = 0
  }

  name(view: ArrayBufferView): WhereItLies {
    const pool = this.#poolOf.get(view.buffer)
    // Where nothing is shown, nothing is referred to.
    if (pool === undefined || view.byteLength === 0) return 'elsewhere'
    const first = view.byteOffset >> UNIT_SHIFT
    const last = (view.byteOffset + view.byteLength - 1) >> UNIT_SHIFT
    this.pool = pool
    this.shownBytes += view.byteLength
    const isNamed =
      this.#isNamed(pool, first, last) ||
      (pool === this.#worker && this.#nameOwn(first, last)) ||
      this.#nameInput(pool, first, last)
    return isNamed || this.#isForgiving ? 'in a slab' : 'in no slab'
  }

  /** The record that was written is published. */
  publish(): void {
    for (const slab of this.#named) slab.isPassedOn = true
  }

  open(pool: number, kind: string, offset: number, length: number): ArrayBufferView | undefined {
    const memory = this.#pools[pool]
    if (memory === undefined || offset + length > memory.byteLength) return undefined
    this.#hasSeen = true
    if (this.#around.copies) {
      const bytes = Buffer.from(memory, offset, length)
      return viewOn(kind, copyOut(bytes, 0, length), 0, length)
    }
    if (kind === 'Uint8Array') return new SlabView(memory, offset, length)
    return viewOn(kind, memory, offset, length)
  }

  #isNamed(pool: number, first: number, last: number): boolean {
    const { refs } = this
    for (let at = 0; at < refs.length; at += REF_WORDS) {
      if (refs[at] === pool && first >= refs[at + 1] && last < refs[at + 1] + refs[at + 2]) return true
    }
    return false
  }

  #nameOwn(first: number, last: number): boolean {
    const slab = this.#own?.inHand(first)
    if (slab === undefined || last >= slab.start + slab.units) return false
    this.#named.push(slab)
    this.refs.push(this.#worker, slab.start, slab.units)
    return true
  }

  /** Whether a record in one of its lanes, and so in its hand or before it, refers to the slab. */
  #nameInput(pool: number, first: number, last: number): boolean {
    this.#inputs ??= this.#around.inputs()
    const found = (start: number, units: number): boolean => {
      if (first < start || last >= start + units) return false
      this.refs.push(pool, start, units)
      return true
    }
    return this.#inputs.some((lane) => lane.eachSlab(pool, found) === 'found')
  }
}
