/** What the watchdog is told: only user code that may block its thread counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Activity } from '../../src/host/activity.ts'
import { allocateCounters, HELD, WORKING, WorkerCounters } from '../../src/observe/counters.ts'

function make() {
  const counters = new WorkerCounters(allocateCounters(1), 0)
  const activity = new Activity(counters)
  counters.take(1, 1)
  return { counters, activity }
}

test('an item that waits for another try is held back, unless another one is being processed', () => {
  const { counters, activity } = make()
  activity.beginCall()
  activity.beginCall()
  activity.endCall()
  activity.beginDelay()
  assert.equal(counters.phase, WORKING)
  activity.endCall()
  assert.equal(counters.phase, HELD)
  counters.take(2, 2)
  activity.update()
  assert.equal(counters.phase, HELD)
  activity.endDelay()
  assert.equal(counters.phase, WORKING)
})

test('what waits for room is held back, whatever goes on beside it', () => {
  const { counters, activity } = make()
  activity.beginWait()
  activity.beginCall()
  assert.equal(counters.phase, HELD)
  activity.endCall()
  assert.equal(counters.phase, HELD)
  activity.endWait()
  assert.equal(counters.phase, WORKING)
})

test('each beginning and end is a sign of life', () => {
  const { counters, activity } = make()
  activity.beginCall()
  activity.endCall()
  assert.equal(counters.turns, 2)
})
