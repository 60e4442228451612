/** All queues that a worker writes: one, or the branches of a split. */
import { bug, MillraceError, show } from '../errors.ts'
import { ABANDONED, DROPPED, OUT, type Outcome } from '../observe/counters.ts'
import type { Origin } from '../queue/lane.ts'
import type { Slabs } from '../queue/slabs.ts'
import type { Awaitable } from './emitter.ts'
import type { OutputQueue } from './output-queue.ts'

export interface OutputsShape {
  stage: string
  split: 'broadcast' | 'route' | undefined
  /** Which branch an output takes. */
  choose: ((value: unknown) => unknown) | undefined
  /** Its outputs get numbers of their own, in the order in which they are put; else they keep the item's. */
  isNumbered: boolean
  slabs: Slabs | undefined
}

export class Outputs {
  readonly queues: readonly OutputQueue[]
  readonly #shape: OutputsShape
  /** Where there is no split. */
  readonly #only: OutputQueue | undefined
  readonly #branches: ReadonlyMap<string | undefined, OutputQueue>
  /** Where the outputs that are put now come from. */
  readonly #origin: Origin = { item: 0, source: 0, order: 0, madeBy: 0, part: 0 }
  /** Number of the last output, where they are numbered. */
  #order: number
  /** The one item of which an earlier life had published something, and how much per queue. */
  #partial: { madeBy: number; published: readonly number[] } | undefined

  constructor(queues: readonly OutputQueue[], shape: OutputsShape) {
    this.queues = queues
    this.#shape = shape
    this.#only = shape.split === undefined ? queues[0] : undefined
    this.#branches = new Map(queues.map((queue) => [queue.branch, queue]))
    this.#order = newestOrder(queues)
  }

  /** Whether nobody reads any of them any more. */
  get areRefused(): boolean {
    return this.queues.length > 0 && this.queues.every((queue) => queue.isRefused)
  }

  /** An earlier life had got as far as to put SENTINEL. */
  get haveEnded(): boolean {
    return this.queues.some(({ writer }) => writer.hasEndedLane)
  }

  /** What an earlier life had published for an item that is still to be settled. */
  setPartial(madeBy: number): void {
    const published = this.queues.map(({ writer }) => writer.published(madeBy))
    this.#partial = published.some((count) => count > 0) ? { madeBy, published } : undefined
  }

  /** The outputs that follow come from this item. */
  begin(item: number, source: number, order: number, madeBy: number): void {
    const origin = this.#origin
    origin.item = item
    origin.source = source
    origin.madeBy = madeBy
    if (!this.#shape.isNumbered) origin.order = order
    const partial = this.#partial
    if (partial !== undefined && partial.madeBy === madeBy) {
      this.#partial = undefined
      for (const [index, queue] of this.queues.entries()) queue.begin(partial.published[index])
      return
    }
    for (let index = 0; index < this.queues.length; index++) this.queues[index].begin()
  }

  /** The outputs that follow come at the end of the stream: behind those of the last item. */
  beginFlush(madeBy: number): void {
    const { item, source, order } = this.#origin
    this.begin(item, source, order, madeBy)
  }

  /** The item is tried again. */
  beginAgain(): void {
    for (const queue of this.queues) queue.beginAgain()
  }

  readonly put = (value: unknown): Awaitable<Outcome> => {
    if (this.#shape.isNumbered) {
      this.#order = (this.#order + 1) | 0
      this.#origin.order = this.#order
    }
    const outcome = this.#only === undefined ? this.#putSplit(value) : this.#only.put(value, this.#origin)
    const { slabs } = this.#shape
    return slabs === undefined || slabs.held === 0 ? outcome : this.#letGo(slabs, outcome)
  }

  #letGo(slabs: Slabs, outcome: Awaitable<Outcome>): Awaitable<Outcome> {
    if (typeof outcome === 'number') slabs.letGoPassedOn()
    else
      void outcome.then(
        () => slabs.letGoPassedOn(),
        () => {},
      )
    return outcome
  }

  #putSplit(value: unknown): Awaitable<Outcome> {
    const { split } = this.#shape
    if (split === 'broadcast') return this.#putAll(value)
    if (split === 'route') return this.#putTo(value)
    throw bug('an output, and no queue to put it into')
  }

  /** Wakes readers that doze over outputs of ours: see `QueueWriter.flush`. */
  flush(): void {
    for (let index = 0; index < this.queues.length; index++) this.queues[index].writer.flush()
  }

  /** SENTINEL to every reader. */
  putEnd(): void {
    for (const { writer } of this.queues) writer.putEnd({ ...this.#origin, part: 0 })
  }

  /** Leaves without SENTINEL. */
  leave(): void {
    for (const { writer } of this.queues) writer.leave()
  }

  park(): void {
    for (const { writer } of this.queues) writer.park()
  }

  /** Nothing is put for a while: see `QueueWriter.rest`. */
  rest(): void {
    for (let index = 0; index < this.queues.length; index++) this.queues[index].writer.rest()
  }

  /** Takes note of workers downstream that came or go. */
  refresh(): void {
    for (let index = 0; index < this.queues.length; index++) this.queues[index].writer.refresh()
  }

  #putTo(value: unknown): Awaitable<Outcome> {
    const branch = this.#shape.choose?.(value)
    if (branch === undefined) return DROPPED
    const queue = this.#branches.get(branch as string)
    if (queue !== undefined) return this.#putIntoBranch(queue, value)
    const known = [...this.#branches.keys()].join(', ')
    throw new MillraceError(
      'MILLRACE_UNKNOWN_BRANCH',
      `stage "${this.#shape.stage}": route gave ${show(branch)}; its branches are ${known}`,
      { stage: this.#shape.stage },
    )
  }

  /** A branch that has ended drops what is meant for it, as long as another one goes on. */
  #putIntoBranch(queue: OutputQueue, value: unknown): Awaitable<Outcome> {
    const outcome = queue.put(value, this.#origin)
    const ofBranch = (settled: Outcome): Outcome =>
      settled === ABANDONED && queue.isRefused && !this.areRefused ? DROPPED : settled
    return typeof outcome === 'number' ? ofBranch(outcome) : outcome.then(ofBranch)
  }

  /** To each in turn; synchronous until one has to wait on the event loop. */
  #putAll(value: unknown): Awaitable<Outcome> {
    let total: Outcome = ABANDONED
    for (let index = 0; index < this.queues.length; index++) {
      const outcome = this.#putInto(index, value, this.#origin)
      if (typeof outcome !== 'number') return this.#putRest(outcome, total, index, value)
      total = better(total, outcome)
    }
    return total
  }

  async #putRest(first: Promise<Outcome>, before: Outcome, at: number, value: unknown): Promise<Outcome> {
    const origin = { ...this.#origin }
    let total = better(before, await first)
    for (let index = at + 1; index < this.queues.length; index++) {
      total = better(total, await this.#putInto(index, value, origin))
    }
    return total
  }

  /** A branch that has ended takes nothing; the others go on. */
  #putInto(index: number, value: unknown, origin: Origin): Awaitable<Outcome> {
    const queue = this.queues[index]
    return queue.isRefused ? ABANDONED : queue.put(value, origin)
  }
}

/** An output is out if one branch took it; abandoned only if none would. */
function better(one: Outcome, other: Outcome): Outcome {
  if (one === OUT || other === OUT) return OUT
  return one === DROPPED || other === DROPPED ? DROPPED : ABANDONED
}

function newestOrder(queues: readonly OutputQueue[]): number {
  let newest: number | undefined
  for (const { writer } of queues) {
    const order = writer.newestOrder
    if (order !== undefined && (newest === undefined || ((order - newest) | 0) > 0)) newest = order
  }
  return newest ?? 0
}
