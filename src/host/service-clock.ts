/** Watches the tries of items in a worker: how long they take, and, of those that are traced, when and how they ended. */
import type { WorkerCounters } from '../observe/counters.ts'
import { type Measured, ServiceSampler } from '../observe/service-times.ts'
import type { ItemTrace, ItemTracer } from './item-tracer.ts'
import type { WorkerContext } from './worker-context.ts'

/** A try that is watched. */
export interface Watched {
  measured: Measured | undefined
  trace: ItemTrace | undefined
}

export class ServiceClock {
  readonly #sampler = new ServiceSampler()
  readonly #counters: WorkerCounters
  readonly #tracer: ItemTracer | undefined

  constructor(counters: WorkerCounters, tracer: ItemTracer | undefined) {
    this.#counters = counters
    this.#tracer = tracer
  }

  /** The next try begins. Whether nobody looks at it; otherwise it is yet to begin. */
  passOver(): boolean {
    return this.#tracer === undefined && this.#sampler.passOver()
  }

  /** Whether the next that begins is measured. */
  get isDue(): boolean {
    return this.#sampler.isDue
  }

  /** A try of the context's item, or batch, begins. Undefined: nobody looks at it. */
  begin(context: WorkerContext): Watched | undefined {
    const measured = this.#sampler.begin(this.#counters.blockedMs)
    const trace = this.#tracer?.begin(context)
    return measured === undefined && trace === undefined ? undefined : { measured, trace }
  }

  /** It is done with, or has failed. How long it took, and how many items that stands for, if it was measured. */
  end(
    { measured, trace }: Watched,
    error?: { thrown: unknown },
  ): readonly [ms: number, items: number] | undefined {
    if (trace !== undefined) this.#tracer?.end(trace, error)
    if (measured === undefined) return undefined
    const { serviceTimes, blockedMs } = this.#counters
    const ms = this.#sampler.end(measured, blockedMs)
    serviceTimes.add(ms, measured.items)
    return [ms, measured.items]
  }
}
