/**
 * The sum of a worker's life, also of one that died between two steps: every item has exactly one outcome.
 *
 * A worker settles an item in three steps (observe/counters.ts): note the outcome, give the record back, count.
 *   died before giving back, outputs published: the next queue's newest record names the item -> it is out
 *   died before giving back, nothing published: the record is still in the queue -> abandoned; in a sink, whose
 *     effect may or may not have happened -> in doubt
 *   died after giving back, before counting: one record more given back than counted -> the noted outcome
 */
import { ABANDONED, DROPPED, FAILED, OUT, type WorkerCounters } from '../observe/counters.ts'
import type { LaneView, Origin } from '../queue/lane.ts'

export interface Account {
  in: number | undefined
  out: number
  dropped: number
  failed: number
  abandoned: number
  inDoubt: number
}

/** @param inputs the lanes it reads; none for a source. @param outputs the lanes it writes; none for a sink */
export function accountFor(
  counters: WorkerCounters,
  inputs: readonly LaneView[] | undefined,
  outputs: readonly LaneView[] | undefined,
): Account {
  const account: Account = {
    in: inputs && total(inputs, (lane) => lane.passed),
    out: outputs === undefined ? counters.of(OUT) : total(outputs, (lane) => lane.passed),
    dropped: counters.of(DROPPED),
    failed: counters.of(FAILED),
    abandoned: counters.of(ABANDONED),
    inDoubt: 0,
  }
  if (inputs === undefined) {
    addUnplaced(account, counters, outputs)
    return account
  }
  addUncounted(account, counters, inputs, outputs)
  for (const lane of inputs) addRemaining(account, counters, [...lane.remaining()], outputs)
  return account
}

/** The item that a source had read when it died; unless it was put, it is lost to the run. */
function addUnplaced(
  account: Account,
  counters: WorkerCounters,
  outputs: readonly LaneView[] | undefined,
): void {
  if (counters.read !== counters.settled && !wasPut(counters.read, outputs)) account.abandoned++
}

/** The item that was given back and not counted, if there is one. */
function addUncounted(
  account: Account,
  counters: WorkerCounters,
  inputs: readonly LaneView[],
  outputs: readonly LaneView[] | undefined,
): void {
  if (counters.settled === total(inputs, (lane) => lane.passed - lane.level)) return
  if (counters.noted === DROPPED) account.dropped++
  else if (counters.noted === FAILED) account.failed++
  else if (counters.noted === ABANDONED) account.abandoned++
  else if (outputs === undefined) account.out++
}

function addRemaining(
  account: Account,
  counters: WorkerCounters,
  left: Origin[],
  outputs: readonly LaneView[] | undefined,
): void {
  account.abandoned += left.length
  const first = left[0]
  if (first === undefined || !counters.hasInHand(first.seq)) return
  if (outputs === undefined) {
    account.abandoned--
    account.inDoubt++
  } else if (wasPut(first.seq, outputs)) account.abandoned--
}

/** Whether the newest record in one of the lanes was made from the item. */
function wasPut(seq: number, outputs: readonly LaneView[] | undefined): boolean {
  return outputs?.some((lane) => lane.newest?.seq === seq) ?? false
}

function total(lanes: readonly LaneView[], count: (lane: LaneView) => number): number {
  return lanes.reduce((sum, lane) => sum + count(lane), 0)
}
