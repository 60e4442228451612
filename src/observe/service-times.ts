/**
 * How long a stage works on an item: a histogram of each worker, in shared memory, so that it survives the worker.
 *
 * A bucket holds the items whose time is at most its bound and more than that of the one before. The bounds are Renard's
 * R10 numbers (ISO 3), ten a decade, each about a quarter more than the last; 1, 2.5 and 5 are among them.
 * To measure an item costs 0.3 µs: of a hop without work, a sixth of its CPU time. So, after the first few, one item of
 * several is measured, the fewer the quicker they are, and it stands for those before it. From 0.2 ms on every item is.
 */
const R10 = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8]
/** From 1 µs to below 1,000 s. */
const DECADES = 9

/** Upper bounds of the buckets, in milliseconds; what takes longer than the last lies in one more. */
export const SERVICE_BOUNDS_MS: readonly number[] = Array.from({ length: DECADES }, (_, decade) =>
  R10.map((step) => Number(`${step}e${decade - 3}`)),
).flat()

const BUCKETS = SERVICE_BOUNDS_MS.length + 1
/** Sum of all times, before the buckets. */
const SUM = BUCKETS
const FLOATS = BUCKETS + 1

/** Bytes of one worker's histogram: whole cache lines, so that the counters of two workers share none. */
export const SERVICE_BYTES = Math.ceil((FLOATS * 8) / 64) * 64

export class ServiceTimes {
  readonly #floats: Float64Array

  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#floats = new Float64Array(memory, offset, FLOATS)
  }

  /** Of so many items, each took so long. Only by the worker. */
  add(ms: number, items: number): void {
    this.#floats[bucketOf(ms)] += items
    this.#floats[SUM] += ms * items
  }

  /** Those of several workers together. */
  static total(all: readonly ServiceTimes[]): ServiceSummary {
    const counts = new Float64Array(BUCKETS)
    let sumMs = 0
    for (const { sumMs: sum, counts: own } of all) {
      sumMs += sum
      for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket] += own[bucket]
    }
    return new ServiceSummary(counts, sumMs)
  }

  get sumMs(): number {
    return this.#floats[SUM]
  }

  /** Items in each bucket. A copy. */
  get counts(): Float64Array {
    return this.#floats.slice(0, BUCKETS)
  }
}

/** What was counted, at one moment. */
export class ServiceSummary {
  readonly #counts: Float64Array
  readonly sumMs: number
  /** All items. */
  readonly count: number

  constructor(counts: Float64Array, sumMs: number) {
    this.#counts = counts
    this.sumMs = sumMs
    this.count = counts.reduce((sum, count) => sum + count, 0)
  }

  /** Items that took no longer; exact where it is a bound. */
  upTo(ms: number): number {
    let sum = 0
    for (let bucket = 0; bucket < BUCKETS && (SERVICE_BOUNDS_MS[bucket] ?? Infinity) <= ms; bucket++) {
      sum += this.#counts[bucket]
    }
    return sum
  }

  /** The time that this part of the items did not exceed, in milliseconds: within an eighth, from 1 µs on. */
  quantile(part: number): number {
    let rest = part * this.count
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket]
      if (rest <= count && count > 0) {
        const high = SERVICE_BOUNDS_MS[bucket]
        if (high === undefined) return SERVICE_BOUNDS_MS[BUCKETS - 2]
        const low = SERVICE_BOUNDS_MS[bucket - 1] ?? 0
        return low + (high - low) * (rest / count)
      }
      rest -= count
    }
    return 0
  }
}

/** An item that is measured. */
export interface Measured {
  sinceMs: number
  /** How long its worker had waited for room when it began. */
  blockedMs: number
  /** How many it stands for, itself and those before it that were not measured. */
  items: number
}

/** What takes so long is measured each time. */
const SLOW_MS = 0.2
const LONGEST_STRIDE = 256
/** So many items are all measured: short runs have figures too. */
const FIRST_ITEMS = 64

/** Says which items of a worker are measured. */
export class ServiceSampler {
  /** Items from the last that was measured to the next. */
  #stride = 1
  /** How many of those are still to begin. */
  #left = 1
  /** How long strides are to be, on average. */
  #mean = 1
  #random = 0x9e3779b9
  #first = FIRST_ITEMS

  /** Whether the next item that begins is measured. */
  get isDue(): boolean {
    return this.#left <= 1
  }

  /** An item begins, unless it is to be measured. */
  passOver(): boolean {
    if (this.#left <= 1) return false
    this.#left--
    return true
  }

  /** An item begins. Undefined: this one is not measured. */
  begin(blockedMs = 0): Measured | undefined {
    if (--this.#left > 0) return undefined
    const items = this.#stride
    this.#left = this.#stride = this.#draw()
    return { sinceMs: performance.now(), blockedMs, items }
  }

  /** How long it took, without the waits for room. */
  end({ sinceMs, blockedMs: before }: Measured, blockedMs = 0): number {
    const ms = Math.max(0, performance.now() - sinceMs - (blockedMs - before))
    const isAlways = ms >= SLOW_MS || this.#first-- > 0
    this.#mean = isAlways ? 1 : Math.min(LONGEST_STRIDE, SLOW_MS / Math.max(ms, 1e-6))
    // Others may have begun while it was in hand.
    const begun = this.#stride - this.#left
    this.#stride = Math.max(begun + 1, this.#draw())
    this.#left = this.#stride - begun
    return ms
  }

  /** At random around the mean: what repeats every few items is seen as often as it comes. */
  #draw(): number {
    if (this.#mean === 1) return 1
    // xorshift32, Marsaglia 2003.
    this.#random ^= this.#random << 13
    this.#random ^= this.#random >>> 17
    this.#random ^= this.#random << 5
    return 1 + Math.floor(((this.#random >>> 0) / 2 ** 32) * (2 * this.#mean - 1))
  }
}

function bucketOf(ms: number): number {
  let low = 0
  let high = BUCKETS - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ms <= SERVICE_BOUNDS_MS[middle]) high = middle
    else low = middle + 1
  }
  return low
}
