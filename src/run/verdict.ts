/**
 * What is to become of the item that a worker had in hand when it died. Pure.
 *
 * An item is named by its ticket and its number together: a ticket alone comes again. When several items were in hand
 * nobody knows which of them it was: the next life processes them one at a time, and the next death tells.
 */
import type { Verdict } from '../host/worker-task.ts'

/** What the counters of a dead worker say of its hand. */
export interface Hand {
  ticket: number | undefined
  /** Number of the item at its source. */
  item: number
  /** Items, or batches, in hand, that one among them. */
  held: number
  /** Which try of the item it was; 0: not known. */
  attempt: number
  /** Items settled by then, in all lives. */
  settled: number
}

/** Why it died. `timeoutMs`: we ended it, because the item took longer. */
export interface Death {
  why: string
  timeoutMs: number | undefined
}

export interface Limits {
  poisonAfter: number
  /** Times an item is tried, if it takes too long. */
  attempts: number
}

/** Stands for the ticket where only the number of items in hand is known. */
const NO_TICKET = -1

export class Judge {
  readonly #limits: Limits
  #last: { ticket: number; item: number; attempts: number; deaths: number } | undefined
  /** Items that are still to be processed one at a time, when so many were settled. */
  #alone = { items: 0, settled: 0 }

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Undefined: it had nothing in hand. */
  judge(hand: Hand, death: Death): Verdict | undefined {
    const isSure = hand.held <= 1 || this.#itemsLeft(hand) > 0
    const alone = this.#itemsAlone(hand)
    if (hand.ticket === undefined) {
      this.#last = undefined
      return alone === 0 ? undefined : { ticket: NO_TICKET, attempts: 0, alone }
    }
    const { ticket, item } = hand
    const before = this.#last?.ticket === ticket && this.#last.item === item ? this.#last : undefined
    const attempts = Math.max(hand.attempt, (before?.attempts ?? 0) + 1)
    const deaths = (before?.deaths ?? 0) + (isSure && death.timeoutMs === undefined ? 1 : 0)
    this.#last = { ticket, item, attempts, deaths }
    // Promises that wait did not keep the thread from going on: another one may have.
    const fail = isSure ? this.#failFor(death, attempts, deaths) : undefined
    return fail === undefined ? { ticket, attempts, alone } : { ticket, attempts, fail, alone }
  }

  #itemsAlone(hand: Hand): number {
    const { held, settled } = hand
    const items = Math.max(0, this.#itemsLeft(hand), held > 1 ? held : 0)
    this.#alone = { items, settled }
    return items
  }

  #itemsLeft({ settled }: Hand): number {
    return this.#alone.items - (settled - this.#alone.settled)
  }

  #failFor({ why, timeoutMs }: Death, attempts: number, deaths: number): Verdict['fail'] {
    if (timeoutMs !== undefined && attempts >= this.#limits.attempts) {
      return { code: 'MILLRACE_ITEM_TIMEOUT', message: `it took longer than ${timeoutMs} ms` }
    }
    if (timeoutMs === undefined && deaths >= this.#limits.poisonAfter) {
      const times = deaths === 1 ? 'once' : `${deaths} times`
      return {
        code: 'MILLRACE_POISON_ITEM',
        message: `its worker died ${times} while it had this item: ${why}`,
      }
    }
    return undefined
  }
}
