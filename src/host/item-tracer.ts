/**
 * Tells the run when work on sampled items begins, how long it took, and how it ended. The beginning is told before any
 * output is published: so what the next stage tells of the same item comes after it. Which items are sampled follows from
 * their numbers, so every worker on their way, in whatever host, chooses the same without being told.
 */
import { errorToWire } from '../errors.ts'
import { sharedNowMs } from '../observe/counters.ts'
import type { Ear, ItemBeginNotice, TraceTask } from './notice.ts'
import type { WorkerContext } from './worker-context.ts'

/** A try of an item that is being traced. */
export type ItemTrace = Omit<ItemBeginNotice, 'kind'>

export class ItemTracer {
  readonly #tell: Ear['tell']
  readonly #every: number
  #tries = 0

  constructor(tell: Ear['tell'], { sampleEvery }: TraceTask) {
    this.#tell = tell
    this.#every = sampleEvery
  }

  /** A try of the context's item, or batch, begins. Undefined: it is not traced. */
  begin(context: WorkerContext): ItemTrace | undefined {
    const { item, members } = context
    if (members === undefined && !isTraced(item, this.#every)) return undefined
    const { pipeline, stage, worker, source, attempt } = context
    const origins = members ?? [{ source, item }]
    const traced = origins.filter((origin) => isTraced(origin.item, this.#every))
    if (traced.length === 0) return undefined
    const place = { pipeline, stage, worker, item, source, attempt }
    const begun = { ...place, id: ++this.#tries, items: origins.length, traced, startMs: sharedNowMs() }
    this.#tell({ kind: 'item begin', ...begun })
    return begun
  }

  end(trace: ItemTrace, error?: { thrown: unknown }): void {
    const endMs = sharedNowMs()
    this.#tell({
      kind: 'item',
      ...trace,
      endMs,
      ...(error === undefined ? {} : { error: errorToWire(error.thrown) }),
    })
  }
}

/** The first item, and every so many after it; Infinity: none. */
export function isTraced(item: number, every: number): boolean {
  return item > 0 && every !== Number.POSITIVE_INFINITY && (item - 1) % every === 0
}
