import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import hops from '../fixtures/pipelines/hops.ts'
import { test, watch } from '../support/harness.ts'

test('a stage that does next to nothing in a thread of its own is told of, with both figures; one that works is not', async () => {
  const { advice } = await watch(start(hops, { items: 150_000, turns: 20_000, every: 20 })).join()
  assert.deepEqual(
    advice.map(({ stage }) => stage),
    ['nothing'],
  )
  const [{ workMicros, hopMicros, why }] = advice
  assert.ok(hopMicros > workMicros && workMicros >= 0, `${workMicros} ${hopMicros}`)
  assert.match(why, /the hop to its thread .* as \.map\(\) of "numbers" it would cost less$/)
})
