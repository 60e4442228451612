/** Measures how long a worker's stage works on an item: what is its own of that time, without waiting for room. */
import type { WorkerCounters } from '../observe/counters.ts'
import { type Measured, ServiceSampler } from '../observe/service-times.ts'

export class ServiceClock {
  readonly #sampler = new ServiceSampler()
  readonly #counters: WorkerCounters
  /** A process measures its items itself. */
  readonly #isElsewhere: boolean

  constructor(counters: WorkerCounters, isElsewhere: boolean) {
    this.#counters = counters
    this.#isElsewhere = isElsewhere
  }

  /** A try of an item, or of a batch, begins. Undefined: it is not measured. */
  begin(): Measured | undefined {
    return this.#isElsewhere ? undefined : this.#sampler.begin(this.#counters.blockedMs)
  }

  /** It is done with, or has failed. */
  end(measured: Measured): void {
    const { serviceTimes, blockedMs } = this.#counters
    serviceTimes.add(this.#sampler.end(measured, blockedMs), measured.items)
  }
}
