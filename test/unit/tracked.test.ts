import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTracked, track } from '../../src/tracked.ts'
import { nameHere } from '../support/places.ts'

test('a tracked item is told from every other value', () => {
  assert.equal(isTracked(track(1)), true)
  for (const value of [1, null, undefined, 'x', {}, [], Symbol.for('millrace.tracked')]) {
    assert.equal(isTracked(value), false)
  }
})

test('one made by another copy of the package is one too', async () => {
  const copy = await import(`${nameHere('../../src/tracked.ts')}?copy=${Date.now()}`)
  assert.notEqual(copy.track, track)
  assert.equal(isTracked(copy.track(1)), true)
})

test('it holds the value as it is', () => {
  const value = { a: 1 }
  assert.equal(track(value).value, value)
  assert.equal(track(undefined).value, undefined)
})

test('its position is that of the moment when it was tracked', () => {
  const cursor = { offset: 1 }
  const tracked = track('item', { position: cursor })
  cursor.offset = 2
  assert.deepEqual(tracked.position, { offset: 1 })
})

test('a position that cannot be copied is refused at once', () => {
  assert.throws(() => track(1, { position: { seek: () => 1 } }), { code: 'MILLRACE_BAD_CHECKPOINT' })
})
