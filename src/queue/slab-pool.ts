/**
 * The slabs of one worker: a piece of shared memory that only this worker hands out, and which of it is free.
 *
 * No word says so. A slab is in use while this worker has it in hand, or while a record refers to it (slab-sweep.ts);
 * everything between those is free. So nothing is counted, nothing can be counted wrongly by a worker that dies, and the
 * next life of a worker knows as much as the one before: what it had in hand and not passed on is free again.
 *
 * Free memory is not kept apart by size: each sweep finds the gaps between the slabs in use, and a new slab takes the
 * first one that is large enough. So no size is given a share that another one lacks. The memory grows from nothing to
 * its bound as needed: what was never used is address space and no more.
 */
import { UNIT_BYTES } from './slab-refs.ts'

/** Node 20 knows these; the types of its year do not. */
export interface GrowableMemory extends SharedArrayBuffer {
  readonly maxByteLength: number
  grow(bytes: number): void
}

/** Memory grows by so much at least. */
const GROWTH_BYTES = 2 ** 20
/**
 * After so much a sweep looks what has come back, although there are gaps left: what was in use just now lies in the
 * processor's cache, and what was not touched for long does not.
 */
const WARM_UNITS = 2 ** 21 / UNIT_BYTES

/** Memory for the slabs of one worker; none if it is to have none, or the system has no such piece of address space. */
export function allocateSlabs(mostBytes: number): SharedArrayBuffer | undefined {
  const maxByteLength = Math.floor(mostBytes / UNIT_BYTES) * UNIT_BYTES
  if (maxByteLength === 0) return undefined
  const Growable = SharedArrayBuffer as unknown as new (
    bytes: number,
    options: { maxByteLength: number },
  ) => SharedArrayBuffer
  try {
    return new Growable(0, { maxByteLength })
  } catch {
    return undefined
  }
}

/** A slab that this worker has in hand. */
export interface Slab {
  /** Where it begins, and how long it is, in units. */
  start: number
  units: number
  /** Who gives it up unless it is passed on. */
  holder: object
  /** A record refers to it. */
  isPassedOn: boolean
}

/** Adds `start, units` of each slab that records refer to; false: any may be meant. */
export type Sweep = (into: number[]) => boolean

export class SlabPool {
  readonly memory: GrowableMemory
  readonly #sweep: Sweep
  /** What this worker has in hand, the newest last. */
  #hand: Slab[] = []
  /** Free pieces, `start, units` each, in their order. Those that are not listed may be free, too. */
  #gaps: number[] = []
  /** Units taken since the last sweep. */
  #taken = 0
  /** Slabs that records referred to at the last sweep. */
  #usedByRecords = 0

  constructor(memory: SharedArrayBuffer, sweep: Sweep) {
    this.memory = memory as GrowableMemory
    this.#sweep = sweep
  }

  /** Slabs that are in this worker's hand and nowhere else. */
  get held(): number {
    return this.#hand.length
  }

  /** Whether records have slabs that will come back; by the last sweep. */
  get mayComeBack(): boolean {
    return this.#usedByRecords > 0
  }

  /** Takes a slab of so many units in hand; undefined: all memory is in use. */
  tryTake(units: number, holder: object): Slab | undefined {
    let start = this.#taken < WARM_UNITS ? this.#fit(units) : -1
    if (start < 0) {
      this.#findGaps()
      start = this.#fit(units)
    }
    if (start < 0 && this.#grow(units)) start = this.#fit(units)
    if (start < 0) return undefined
    this.#taken += units
    const slab = { start, units, holder, isPassedOn: false }
    this.#hand.push(slab)
    return slab
  }

  /** The slab in hand that this unit belongs to. */
  inHand(unit: number): Slab | undefined {
    for (let index = this.#hand.length - 1; index >= 0; index--) {
      const slab = this.#hand[index]
      if (unit >= slab.start && unit < slab.start + slab.units) return slab
    }
    return undefined
  }

  /** Gives up what records refer to now: it is theirs. */
  letGoPassedOn(): void {
    this.#hand = this.#hand.filter((slab) => !slab.isPassedOn)
  }

  /** Gives up everything that the holder had and did not pass on. */
  letGo(holder: object): void {
    this.#hand = this.#hand.filter((slab) => slab.holder !== holder)
  }

  /** Gives up one slab. */
  letGoOf(slab: Slab): void {
    this.#hand = this.#hand.filter((one) => one !== slab)
  }

  #fit(units: number): number {
    const gaps = this.#gaps
    for (let at = 0; at < gaps.length; at += 2) {
      if (gaps[at + 1] < units) continue
      const start = gaps[at]
      if (gaps[at + 1] === units) gaps.splice(at, 2)
      else {
        gaps[at] += units
        gaps[at + 1] -= units
      }
      return start
    }
    return -1
  }

  /** What lies between the slabs in use. */
  #findGaps(): void {
    const used: number[] = []
    this.#taken = 0
    const isKnown = this.#sweep(used)
    this.#usedByRecords = isKnown ? used.length >> 1 : Number.POSITIVE_INFINITY
    // The gaps that are known stay what they are: nobody but this worker takes of them.
    if (!isKnown) return
    this.#gaps = []
    for (const { start, units } of this.#hand) used.push(start, units)
    const order = Array.from({ length: used.length >> 1 }, (_, index) => index * 2)
    order.sort((one, other) => used[one] - used[other])
    let free = 0
    for (const at of order) {
      if (used[at] > free) this.#gaps.push(free, used[at] - free)
      free = Math.max(free, used[at] + used[at + 1])
    }
    const end = this.memory.byteLength / UNIT_BYTES
    if (end > free) this.#gaps.push(free, end - free)
  }

  /** Makes the last gap as large as that, if the bound allows it. After `findGaps`. */
  #grow(units: number): boolean {
    const { memory } = this
    if (this.#usedByRecords === Number.POSITIVE_INFINITY) return false
    const end = memory.byteLength / UNIT_BYTES
    const last = this.#gaps.length - 2
    const reachesEnd = last >= 0 && this.#gaps[last] + this.#gaps[last + 1] === end
    const start = reachesEnd ? this.#gaps[last] : end
    const needed = (start + units) * UNIT_BYTES
    if (needed > memory.maxByteLength) return false
    try {
      memory.grow(Math.min(memory.maxByteLength, Math.max(needed, memory.byteLength + GROWTH_BYTES)))
    } catch {
      // The system has no more; it is as if the bound were lower.
      return false
    }
    if (reachesEnd) this.#gaps.length = last
    this.#gaps.push(start, memory.byteLength / UNIT_BYTES - start)
    return true
  }
}
