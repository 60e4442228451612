/**
 * How a new life of a worker takes up where the old one was, wherever that was.
 *
 * The old life settled an item in steps: publish its outputs, note its outcome, give its record back, count it.
 *   died before all outputs were published: the record is there; the newest records of the outputs tell how many were
 *   died after the note: the record may still be there; it is given back and counted, not processed
 *   died after giving back: more records were given back than counted; the difference had the noted outcome
 * Outputs of two items are never mixed, so at most one item was partly published.
 */
import { OUT, type Outcome } from '../observe/counters.ts'
import type { InputReader } from '../queue/input-reader.ts'
import type { Origin } from '../queue/lane.ts'
import type { QueueWriter } from '../queue/queue-writer.ts'
import type { WorkerCore } from './worker-core.ts'
import type { Verdict } from './worker-task.ts'

/** A batch's tickets have this bit; its mark is in the lower ones. */
export const BATCH_BIT = 0x80000000

export class TakeUp {
  /** Ticket of the item whose outcome was noted and whose record is still there. */
  #noted: number | undefined
  /** Ticket of the item that was put among the dead letters and not settled. */
  #deadLettered: number | undefined
  #verdict: Verdict | undefined
  readonly #outcome: Outcome
  /** Items per mark of the batches that the old life had closed and not settled. */
  readonly batches: ReadonlyMap<number, number>
  #alone: number
  /** Ticket of the item that is processed alone, until it is settled. */
  #aloneInHand: number | undefined
  #left: number

  /** Undefined: there is nothing to take up. */
  static from(core: WorkerCore): TakeUp | undefined {
    return core.task.life > 1 && core.reader !== undefined ? new TakeUp(core) : undefined
  }

  private constructor(core: WorkerCore) {
    const { counters, task } = core
    const reader = core.reader as NonNullable<typeof core.reader>
    countGivenBack(core, reader.committed - counters.settled)
    counters.dropHand()
    const batches = core.plan.batch === undefined ? new Map<number, number>() : countBatches(reader)
    this.batches = batches
    const isPending = (ticket: number): boolean =>
      core.plan.batch !== undefined && ticket >= BATCH_BIT
        ? batches.has((ticket ^ BATCH_BIT) >>> 0)
        : reader.has(ticket)
    this.#verdict = task.verdict && isPending(task.verdict.ticket) ? task.verdict : undefined
    this.#alone = task.verdict?.alone ?? 0
    this.#outcome = counters.noted
    const { notedTicket } = counters
    this.#noted = notedTicket !== undefined && isPending(notedTicket) ? notedTicket : undefined
    this.#deadLettered = core.deadLetters && partlyMade(core.deadLetters.writer, isPending)
    for (const { writer } of core.outputs.queues) {
      const partial = partlyMade(writer, isPending)
      if (partial !== undefined) core.outputs.setPartial(partial)
    }
    this.#left = reader.waiting
  }

  /** Whether everything that the old life had in hand has been met again. */
  get isDone(): boolean {
    const isAllSaid =
      this.#noted === undefined && this.#deadLettered === undefined && this.#verdict === undefined
    return this.#left <= 0 && isAllSaid
  }

  /** The item is settled. Its ticket will come again, for another item. */
  forget(ticket: number): void {
    if (this.#aloneInHand === ticket) this.#aloneInHand = undefined
    if (this.#noted === ticket) this.#noted = undefined
    if (this.#deadLettered === ticket) this.#deadLettered = undefined
    if (this.#verdict?.ticket === ticket) this.#verdict = undefined
  }

  /** To be called for each item that is taken up, as it is begun. */
  countOne(ticket: number): void {
    this.#left--
    if (this.#alone > 0) this.#aloneInHand = ticket
    this.#alone--
  }

  /** Whether to process one item at a time, for now: until the last of those that may have been it is settled. */
  get isAlone(): boolean {
    return this.#alone > 0 || this.#aloneInHand !== undefined
  }

  /** What the old life had noted of the item: nothing is left to do but to give it back. */
  notedOutcome(ticket: number): Outcome | undefined {
    return ticket === this.#noted ? this.#outcome : undefined
  }

  isDeadLettered(ticket: number): boolean {
    return ticket === this.#deadLettered
  }

  verdictOn(ticket: number): Verdict | undefined {
    return this.#verdict?.ticket === ticket ? this.#verdict : undefined
  }
}

/** Counts what was given back and not counted, of which there is one item or batch at most: it had the noted outcome. */
function countGivenBack({ counters, outputs, task }: WorkerCore, uncounted: number): void {
  if (uncounted <= 0) return
  const ticket = counters.ticketInHand
  const isClaiming = task.inputs.some(({ overflow }) => overflow === 'drop-old')
  if (!isClaiming || (ticket !== undefined && counters.isNoted(ticket))) {
    counters.count(counters.noted, uncounted)
    return
  }
  // Records leave such a queue when they are taken: the one in hand is gone, unless its outputs are out.
  const { inHand } = counters
  const isOut = outputs.queues.some(({ writer }) =>
    writer.newestOfLanes().some(({ madeBy, item }) => madeBy === ticket && item === inHand),
  )
  if (isOut) counters.count(OUT, uncounted)
  else counters.countLost(uncounted)
}

/** The item, of those still to be settled, that made the newest output in one of the writer's lanes. */
function partlyMade(writer: QueueWriter, isPending: (ticket: number) => boolean): number | undefined {
  const newest: readonly Origin[] = writer.newestOfLanes()
  return newest.find(({ madeBy }) => isPending(madeBy))?.madeBy
}

/** Items left of each batch that was closed. */
function countBatches(reader: InputReader): Map<number, number> {
  const batches = new Map<number, number>()
  for (const { batch } of reader.uncommitted()) {
    if (batch !== 0) batches.set(batch, (batches.get(batch) ?? 0) + 1)
  }
  return batches
}
