/**
 * The states that were seen, by two hashes of 32 bits each, with a number for each: open addressing in typed arrays.
 *
 * Two different states with the same 64 bits would count as one. With n states that has a probability of about n^2 / 2^65:
 * 3 in a million for ten million states.
 */
export class StateSet {
  #low: Int32Array
  #high: Int32Array
  #values: Float64Array
  #mask: number
  size = 0

  constructor(bits = 16) {
    this.#mask = 2 ** bits - 1
    this.#low = new Int32Array(2 ** bits)
    this.#high = new Int32Array(2 ** bits)
    this.#values = new Float64Array(2 ** bits)
  }

  /** The value of the state, if it is known; else it is added with `value`, and undefined returned. */
  add(low: number, high: number, value: number): number | undefined {
    // An empty place is (0, 0).
    const first = low === 0 && high === 0 ? 1 : low
    let at = first & this.#mask
    while (this.#low[at] !== 0 || this.#high[at] !== 0) {
      if (this.#low[at] === first && this.#high[at] === high) return this.#values[at]
      at = (at + 1) & this.#mask
    }
    this.#low[at] = first
    this.#high[at] = high
    this.#values[at] = value
    this.size++
    if (this.size * 2 > this.#mask) this.#grow()
    return undefined
  }

  /** Changes the value of a known state. */
  set(low: number, high: number, value: number): void {
    const first = low === 0 && high === 0 ? 1 : low
    let at = first & this.#mask
    while (this.#low[at] !== first || this.#high[at] !== high) at = (at + 1) & this.#mask
    this.#values[at] = value
  }

  #grow(): void {
    const [low, high, values] = [this.#low, this.#high, this.#values]
    const length = low.length * 2
    this.#mask = length - 1
    this.#low = new Int32Array(length)
    this.#high = new Int32Array(length)
    this.#values = new Float64Array(length)
    for (let from = 0; from < low.length; from++) {
      if (low[from] === 0 && high[from] === 0) continue
      let at = low[from] & this.#mask
      while (this.#low[at] !== 0 || this.#high[at] !== 0) at = (at + 1) & this.#mask
      this.#low[at] = low[from]
      this.#high[at] = high[from]
      this.#values[at] = values[from]
    }
  }
}

export function mixLow(first: number, second: number): number {
  let hash = Math.imul(first + 1, 0x9e3779b1) ^ Math.imul(second + 0x3c6ef372, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d)
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f)
  return hash ^ (hash >>> 16)
}

export function mixHigh(first: number, second: number): number {
  let hash = Math.imul(first + 7, 0xcc9e2d51) ^ Math.imul(second + 0x1b873593, 0x165667b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return hash ^ (hash >>> 14)
}
