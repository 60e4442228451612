import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countActiveResources, Waiting } from '../../src/host/waiting.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'

test('a thread is not blocked while a timer is active, also one that the last item set', async () => {
  const stop = new StopEvent()
  // Some more than now: those of the test's own thread come and go.
  const baseline = countActiveResources() + 5
  const waiting = new Waiting(baseline)
  await waiting.wait(stop.doorbell(stop.takeDoorbell()), () => true)
  assert.equal(waiting.mayBlock, true)
  const timers = Array.from({ length: baseline + 1 }, () => setTimeout(() => {}, 1000))
  assert.equal(waiting.mayBlock, false)
  for (const timer of timers) clearTimeout(timer)
})
