/**
 * Makes units out of what waits in the queues: single items, or batches.
 *
 * Records stay uncommitted while they are held for a batch. A batch that is closed is marked in its records, so that
 * the next life of a worker that dies makes the same batch again, and knows what of it was published.
 */
import type { InputReader } from '../queue/input-reader.ts'
import { MIXED_SOURCES } from '../queue/lane.ts'
import { type Batch, Batcher } from './batcher.ts'
import type { Pace } from './pace.ts'
import { BATCH_BIT, type TakeUp } from './take-up.ts'
import { Unit, type UnitPlace } from './unit.ts'
import type { WorkerCore } from './worker-core.ts'

/** Batch numbers have so many bits: see lane.ts. */
const MAX_MARK = 2 ** 20 - 1

interface Held {
  place: UnitPlace
  value: unknown
}

export class UnitGatherer {
  readonly #core: WorkerCore
  readonly #reader: InputReader
  readonly #batcher: Batcher<unknown> | undefined
  readonly #takeUp: TakeUp | undefined
  readonly #pace: Pace
  /** By ticket. */
  readonly #held = new Map<number, Held>()
  /** Units that are ready to be processed, oldest first. */
  readonly #ready: Unit[] = []
  /** Batches of the life before, that are gathered again. */
  readonly #again = new Map<number, number[]>()
  /** Of the newest batch, over all lives: what lies in the next queue names its batch by it. */
  #mark: number
  /** Since the last record came, writers that wait for room were asked to look again. */
  #hasAnswered = false

  constructor(core: WorkerCore, reader: InputReader, takeUp: TakeUp | undefined, pace: Pace) {
    this.#pace = pace
    this.#core = core
    this.#reader = reader
    this.#takeUp = takeUp
    this.#batcher = core.plan.batch && new Batcher(core.plan.batch)
    this.#mark = core.counters.batchMark
  }

  /** Time, by `performance.now()`, at which the next batch is to leave. */
  get dueMs(): number {
    return this.#batcher?.nextDueMs() ?? Number.POSITIVE_INFINITY
  }

  /** Whether it holds items that are in no unit yet. */
  get isHolding(): boolean {
    return this.#held.size > 0
  }

  /** The next unit, as far as there is one; reads on in the queues until one is complete. */
  next(): Unit | undefined {
    if (this.#ready.length === 0) this.#gather()
    return this.#ready.shift()
  }

  /** No more will come: what is held leaves as it is. */
  closeAll(): void {
    if (this.#batcher !== undefined) this.#close(this.#batcher.all())
  }

  /**
   * A writer that waits for room waits for ever if its room is held here, by batches that wait for more. It is asked to
   * look again first; if it then still waits, the oldest batch leaves before its time.
   */
  makeRoom(): Unit | undefined {
    if (!this.isHolding || !this.#reader.isWaitedFor) return undefined
    if (this.#hasAnswered) {
      const oldest = this.#batcher?.oldest()
      if (oldest !== undefined) this.#close([oldest])
    }
    this.#hasAnswered = !this.#hasAnswered
    this.#reader.answerWaits()
    return this.#ready.shift()
  }

  #gather(): void {
    const reader = this.#reader
    while (this.#ready.length === 0 && reader.poll() === 'item') this.#take(reader)
    if (this.#batcher !== undefined) this.#close(this.#batcher.due(performance.now()))
  }

  #take(reader: InputReader): void {
    const { item, source, order, batch, bytes } = reader
    const value = reader.read()
    this.#hasAnswered = false
    const ticket = reader.take()
    this.#pace.countItem()
    const place: UnitPlace = { item, source, order, ticket, origins: [{ source, item }], records: [ticket] }
    if (this.#batcher === undefined) {
      this.#ready.push(this.#unit(place, value))
      return
    }
    this.#held.set(ticket, { place, value })
    if (batch !== 0) this.#takeAgain(batch, ticket)
    else {
      const { by } = this.#core.definition.batch ?? {}
      this.#close(this.#batcher.add(ticket, bytes, by?.(value as never), performance.now()))
    }
  }

  #takeAgain(mark: number, ticket: number): void {
    const tickets = this.#again.get(mark) ?? []
    this.#again.set(mark, tickets)
    tickets.push(ticket)
    if (tickets.length < (this.#takeUp?.batches.get(mark) ?? 0)) return
    this.#again.delete(mark)
    this.#ready.push(this.#batch(tickets, mark))
  }

  #close(batches: readonly Batch<unknown>[]): void {
    for (const { tickets } of batches) {
      this.#mark = this.#mark === MAX_MARK ? 1 : this.#mark + 1
      this.#core.counters.batchMark = this.#mark
      for (const ticket of tickets) this.#reader.mark(ticket, this.#mark)
      this.#ready.push(this.#batch(tickets, this.#mark))
    }
  }

  #batch(tickets: readonly number[], mark: number): Unit {
    const members = tickets.map((ticket) => this.#held.get(ticket) as Held)
    for (const ticket of tickets) this.#held.delete(ticket)
    const first = members[0].place
    const isMixed = members.some(({ place }) => place.source !== first.source)
    const place: UnitPlace = {
      // Of several sources it belongs to none: its number is 0, older than all.
      item: isMixed ? 0 : members.reduce((least, { place }) => Math.min(least, place.item), first.item),
      source: isMixed ? MIXED_SOURCES : first.source,
      order: first.order,
      ticket: (BATCH_BIT | mark) >>> 0,
      origins: members.map(({ place: { source, item } }) => ({ source, item })),
      records: tickets,
    }
    return this.#unit(
      place,
      members.map(({ value }) => value),
    )
  }

  #unit(place: UnitPlace, input: unknown): Unit {
    const attempts = this.#takeUp?.verdictOn(place.ticket)?.attempts ?? 0
    return new Unit(this.#core, place, input, attempts)
  }
}
