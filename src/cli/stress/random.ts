/** Random numbers that a seed repeats: mulberry32, by Tommy Ettinger. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer, both ends included. */
  from(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  oneIn(count: number): boolean {
    return this.next() * count < 1
  }

  pick<T>(values: readonly T[]): T {
    return values[this.from(0, values.length - 1)]
  }

  list<T>(length: number, make: () => T): T[] {
    return Array.from({ length }, make)
  }
}
