// What the latency sides share: one item is under way at a time, through reader, two stages that do nothing, and writer.
import { nowMs, Outcome, settings } from './outcome.mjs'

export { Outcome, settings }

/** Samples, in memory that all threads share. */
export class Latencies {
  #samples

  constructor(memory = new SharedArrayBuffer(8 * settings.items)) {
    this.memory = memory
    this.#samples = new Float64Array(memory)
  }

  /** To be called with the item, which is the moment at which it was made, when it has arrived. */
  add(number, item) {
    this.#samples[number] = nowMs() - item
  }

  /** In microseconds, of all but the first tenth, which warms up. */
  percentiles() {
    const sorted = this.#samples.slice(Math.floor(this.#samples.length / 10)).sort()
    const at = (part) => Math.round(1e4 * sorted[Math.floor(part * sorted.length)]) / 10
    return { p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999) }
  }
}

export { nowMs as makeItem }

/** A stage that does nothing. */
export const pass = (item) => item
