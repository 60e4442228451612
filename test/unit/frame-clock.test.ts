// Frames are shown when their time says; a large gap is closed, and where times begin again, they go on from there.
import assert from 'node:assert/strict'
import { FrameClock } from '../../src/media/frame-clock.ts'
import { test } from '../support/harness.ts'

function timesOf(...ptsMs: number[]): number[] {
  const clock = new FrameClock(25)
  return ptsMs.map((time) => clock.timesOf(time))
}

const seconds = [0, 1000, 2000, 3000]

test('missing frames are filled, and those that are too many left out', () => {
  assert.deepEqual(timesOf(1000, 1040, 1080, 1200, 1240), [1, 1, 1, 3, 1])
  assert.deepEqual(timesOf(0, 20, 40, 60, 80), [1, 1, 0, 1, 0])
  assert.deepEqual(timesOf(0, 30_000), [1, 750])
})

test('a gap of more than 30 seconds is closed, and times count from its end', () => {
  assert.deepEqual(timesOf(0, 30_040), [1, 1])
  const after = seconds.map((time) => 31_000 + time)
  assert.deepEqual(timesOf(0, ...after), [1, 1, 25, 25, 25])
  assert.deepEqual(timesOf(0, 31_000, 31_020, 31_040, 31_060, 31_080), [1, 1, 1, 0, 1, 0])
})

test('where times begin again, the frame comes next, and times count from it', () => {
  assert.deepEqual(timesOf(0, 40, 80, 0, 40, 120), [1, 1, 1, 1, 1, 2])
  assert.deepEqual(timesOf(...seconds, ...seconds), [1, 25, 25, 25, 1, 25, 25, 25])
})

test('a frame without a time comes next', () => {
  assert.deepEqual(timesOf(Number.NaN, 0, Number.NaN, 40, 80), [1, 1, 1, 0, 1])
})
