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
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { LaneView, Origin } from '../queue/lane.ts'

export interface Account {
  in: number | undefined
  out: number
  dropped: number
  failed: number
  abandoned: number
  inDoubt: number
}

export function accountFor(
  counters: WorkerCounters,
  input: BoundedQueue | undefined,
  output: BoundedQueue | undefined,
): Account {
  const account: Account = {
    in: input?.passed,
    out: output === undefined ? counters.of(OUT) : output.passed,
    dropped: counters.of(DROPPED),
    failed: counters.of(FAILED),
    abandoned: counters.of(ABANDONED),
    inDoubt: 0,
  }
  if (input === undefined) {
    addUnplaced(account, counters, output)
    return account
  }
  const lane = input.memory.laneView(0, 0)
  const left = [...lane.remaining()]
  addUncounted(account, counters, lane, output)
  addRemaining(account, counters, left, output)
  return account
}

/** The item that a source had read when it died; unless it was put, it is lost to the run. */
function addUnplaced(account: Account, counters: WorkerCounters, output: BoundedQueue | undefined): void {
  if (counters.read === counters.settled) return
  if (output?.memory.laneView(0, 0).newest?.seq !== counters.read) account.abandoned++
}

/** The item that was given back and not counted, if there is one. */
function addUncounted(
  account: Account,
  counters: WorkerCounters,
  lane: LaneView,
  output: BoundedQueue | undefined,
): void {
  if (counters.settled === lane.passed - lane.level) return
  if (counters.noted === DROPPED) account.dropped++
  else if (counters.noted === FAILED) account.failed++
  else if (counters.noted === ABANDONED) account.abandoned++
  else if (output === undefined) account.out++
}

function addRemaining(
  account: Account,
  counters: WorkerCounters,
  left: Origin[],
  output: BoundedQueue | undefined,
): void {
  account.abandoned += left.length
  const first = left[0]
  if (first === undefined || !counters.hasInHand(first.seq)) return
  if (output === undefined) {
    account.abandoned--
    account.inDoubt++
  } else if (output.memory.laneView(0, 0).newest?.seq === first.seq) account.abandoned--
}
