import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from '../../src/host/pace.ts'

function paceOf(...isFromOutside: boolean[]): Pace {
  return new Pace({
    inputs: isFromOutside.map((isFromOutside) => ({ isFromOutside })) as ConstructorParameters<
      typeof Pace
    >[0]['inputs'],
  })
}

test('a worker dozes before it sleeps when it had several items since it last waited', () => {
  const pace = paceOf(true)
  assert.equal(pace.beginWait(), false)
  for (let item = 0; item < 4; item++) pace.countItem()
  assert.deepEqual([pace.beginWait(), pace.beginWait()], [true, false])
})

test('so does one that did not wait for long, unless its items come from outside, where nobody says that he waits', () => {
  for (const [pace, dozes] of [
    [paceOf(false), true],
    [paceOf(true), false],
    [paceOf(false, true), false],
  ] as const) {
    pace.endWait(0.1)
    assert.equal(pace.beginWait(), dozes)
    pace.endWait(20)
    assert.equal(pace.beginWait(), false)
  }
})
