/**
 * What a hop costs beside the work that it moves to another thread: of the items whose service time is measured
 * (service-clock.ts), also the time for reading, sending on and settling. Of the whole item, not of many, so that both
 * times count what a loaded machine adds alike.
 *
 * Only where all of it is known: not of a promise, nor a generator, nor of fused operators.
 */
import type { WorkerCounters } from '../observe/counters.ts'

/** While the code is being compiled that weighs more than what it does. */
const WARM_UP_SAMPLES = 100

/** What reading the clock takes. */
const CLOCK_MS = leastClockMs()

export class HopSamples {
  readonly #counters: WorkerCounters
  #toSkip = WARM_UP_SAMPLES
  #beganMs = 0
  #workBeganMs = 0
  #workedMs = 0
  #blockedMs = 0

  constructor(counters: WorkerCounters) {
    this.#counters = counters
  }

  /** An item that is measured is about to be read. */
  begin(): void {
    this.#blockedMs = this.#counters.blockedMs
    this.#beganMs = performance.now()
  }

  /** The process function has returned. */
  worked(sinceMs: number): void {
    this.#workedMs = performance.now()
    this.#workBeganMs = sinceMs
  }

  /** The item is settled. */
  end(result: unknown): void {
    if (isLater(result) || this.#counters.blockedMs !== this.#blockedMs) return
    if (this.#toSkip-- > 0) return
    const allMs = performance.now() - this.#beganMs
    const workMs = this.#workedMs - this.#workBeganMs
    this.#counters.addHopSample(Math.max(0, workMs - CLOCK_MS), Math.max(0, allMs - workMs - 2 * CLOCK_MS))
  }
}

/** What the item becomes is made after the process function has returned. */
function isLater(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false
  return (
    typeof (result as Iterator<unknown>).next === 'function' ||
    typeof (result as PromiseLike<unknown>).then === 'function'
  )
}

function leastClockMs(): number {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < 50; turn++) {
    const since = performance.now()
    least = Math.min(least, performance.now() - since)
  }
  return least
}
