/**
 * The sum of a worker's lives, also of one that died between two steps: every item has exactly one outcome.
 *
 * A worker settles an item in steps (observe/counters.ts): publish its outputs, note the outcome, give its records
 * back, count it. What a later life takes up it settles itself (host/take-up.ts); this is for where none came.
 *   died before the note, something published: an output's newest record names the item -> it is done
 *   died before the note, nothing published: the record is still in the queue -> abandoned; in a sink, whose
 *     effect may or may not have happened -> in doubt
 *   died after the note: the noted outcome, whether the record was given back or not
 */
import {
  ABANDONED,
  DONE,
  DROPPED,
  FAILED,
  OUT,
  type Outcome,
  type WorkerCounters,
} from '../observe/counters.ts'
import type { LaneView, Origin } from '../queue/lane.ts'

export interface Account {
  /** Items that came into its lanes; a source has none. */
  in: number | undefined
  /** Records it put out; of a sink, items it delivered. */
  out: number
  /** Items that became their outputs, however many. */
  done: number
  dropped: number
  failed: number
  abandoned: number
  inDoubt: number
}

export interface WorkerLanes {
  /** The lanes it reads, queue by queue, producer by producer; none for a source. */
  inputs: readonly LaneView[] | undefined
  /** The lanes it writes; none for a sink. */
  outputs: readonly LaneView[] | undefined
  /** Records leave the queue when they are taken: `overflow: 'drop-old'`. */
  isClaiming: boolean
}

/** A record that was not given back. */
interface Left extends Origin {
  ticket: number
  batch: number
}

export function accountFor(counters: WorkerCounters, lanes: WorkerLanes): Account {
  const { inputs, outputs, isClaiming } = lanes
  const account: Account = {
    in: inputs && total(inputs, (lane) => lane.passed),
    out: 0,
    done: counters.of(OUT),
    dropped: counters.of(DROPPED),
    failed: counters.of(FAILED),
    abandoned: counters.of(ABANDONED),
    inDoubt: 0,
  }
  if (inputs === undefined) addUnplaced(account, counters, outputs)
  else if (isClaiming) addLost(account, counters, inputs, outputs)
  else addLeft(account, counters, inputs.flatMap(recordsLeft), lanes)
  account.out = outputs === undefined ? account.done : total(outputs, (lane) => lane.passed)
  return account
}

/** All workers of a stage together. */
export function sumAccounts(accounts: readonly Account[]): Account {
  const isSource = accounts.every((account) => account.in === undefined)
  const sum: Account = { ...NOTHING, in: isSource ? undefined : 0 }
  for (const account of accounts) {
    if (sum.in !== undefined) sum.in += account.in ?? 0
    for (const field of FIELDS) sum[field] += account[field]
  }
  return sum
}

const FIELDS = ['out', 'done', 'dropped', 'failed', 'abandoned', 'inDoubt'] as const
const NOTHING = { out: 0, done: 0, dropped: 0, failed: 0, abandoned: 0, inDoubt: 0 }

/** The item that a source had read when it died; unless it was put, it is lost to the run. */
function addUnplaced(
  account: Account,
  counters: WorkerCounters,
  outputs: readonly LaneView[] | undefined,
): void {
  const { read, settled } = counters
  if (read <= settled) return
  if (outputs?.some((lane) => lane.newest?.item === read) === true) account.done++
  else account.abandoned++
}

/** Where a record leaves the queue when it is taken, or makes room for a newer one. */
function addLost(
  account: Account,
  counters: WorkerCounters,
  inputs: readonly LaneView[],
  outputs: readonly LaneView[] | undefined,
): void {
  account.dropped += total(inputs, (lane) => lane.dropped)
  account.abandoned += inputs.flatMap(recordsLeft).length
  const { done, dropped, failed, abandoned } = account
  // Taken, and never settled: a worker had them in hand when it died.
  if (outputs === undefined) account.inDoubt += counters.lost
  else account.abandoned += counters.lost
  const settled = done + dropped + failed + abandoned + counters.lost
  const lost = Math.max(0, (account.in ?? 0) - settled)
  const { ticketInHand } = counters
  if (ticketInHand !== undefined && counters.isNoted(ticketInHand)) addOutcome(account, counters.noted, lost)
  else if (outputs === undefined && counters.life !== DONE) account.inDoubt += lost
  else account.abandoned += lost
}

function addLeft(
  account: Account,
  counters: WorkerCounters,
  left: readonly Left[],
  lanes: WorkerLanes,
): void {
  const { inputs = [], outputs } = lanes
  const givenBack = total(inputs, (lane) => lane.passed) - left.length
  const uncounted = Math.max(0, givenBack - counters.settled)
  addOutcome(account, counters.noted, uncounted)
  let undecided = 0
  // Of what it has in hand, by its own word.
  let decided = uncounted
  for (const record of left) {
    if (isFatal(counters, record)) account.failed++
    else if (isNoted(counters, record)) addOutcome(account, counters.noted, 1)
    else if (wasPut(record, outputs)) account.done++
    else {
      undecided++
      continue
    }
    decided++
  }
  if (outputs === undefined && counters.life !== DONE) {
    const inHand = Math.max(counters.held, counters.hasInHand ? 1 : 0)
    account.inDoubt = Math.min(undecided, Math.max(0, inHand - decided))
  }
  account.abandoned += undecided - account.inDoubt
}

function addOutcome(account: Account, outcome: Outcome, items: number): void {
  if (outcome === DROPPED) account.dropped += items
  else if (outcome === FAILED) account.failed += items
  else if (outcome === ABANDONED) account.abandoned += items
  else account.done += items
}

function isNoted(counters: WorkerCounters, { ticket, batch }: Left): boolean {
  return counters.isNoted(ticket) || (batch !== 0 && counters.isNoted(batchTicket(batch)))
}

function isFatal(counters: WorkerCounters, { ticket, batch }: Left): boolean {
  return counters.isFatal(ticket) || (batch !== 0 && counters.isFatal(batchTicket(batch)))
}

/** Whether the newest record in one of the lanes was made from the item. */
function wasPut({ ticket, batch, item, source }: Left, outputs: readonly LaneView[] | undefined): boolean {
  return (
    outputs?.some(({ newest }) => {
      if (newest === undefined) return false
      if (batch !== 0) return newest.madeBy === batchTicket(batch)
      // A ticket comes again; an item's number does not.
      return newest.madeBy === ticket && newest.item === item && newest.source === source
    }) ?? false
  )
}

/** What a worker calls a batch, by its mark. */
function batchTicket(batch: number): number {
  return (0x80000000 | batch) >>> 0
}

function recordsLeft(lane: LaneView, index: number): Left[] {
  const left: Left[] = []
  for (const record of lane.remaining()) {
    if (record.isConsumed) continue
    const ticket = ((index << 22) | (record.count & 0x3fffff)) >>> 0
    left.push({ ...record, ticket, batch: record.batch })
  }
  return left
}

function total(lanes: readonly LaneView[], count: (lane: LaneView) => number): number {
  return lanes.reduce((sum, lane) => sum + count(lane), 0)
}
