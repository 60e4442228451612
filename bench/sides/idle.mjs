// What the idle sides share: a second in which there is nothing to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { Outcome, settings } from './outcome.mjs'

/** What V8 does in the background after a start has to be over. */
const { settleMs = 2000, idleMs = 1000 } = settings

export async function measureIdle() {
  const outcome = new Outcome()
  await sleep(settleMs)
  outcome.begin()
  await sleep(idleMs)
  outcome.end({ count: 0, sum: 0 })
  return outcome
}
