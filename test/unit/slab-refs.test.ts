import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOfRefs, emptyRefs, type RecordSlabs, readRefs, writeRefs } from '../../src/queue/slab-refs.ts'

const named = (refs: number[], shownBytes: number): RecordSlabs => ({
  refs,
  shownBytes,
  pool: 0,
  begin: () => {},
  name: () => 'elsewhere',
  publish: () => {},
})

test('references are read as they were written, wherever the value ends', () => {
  for (let from = 0; from < 5; from++) {
    for (let valueBytes = 1; valueBytes < 9; valueBytes++) {
      const arena = new Int32Array(64)
      const refs = [3, 100, 7, 0, 0, 1]
      const end = writeRefs(arena, from, from + valueBytes, 256, named(refs, 5000))
      assert.ok(end - from - valueBytes <= bytesOfRefs(2))
      const found = readRefs(arena, from, end - from, emptyRefs())
      assert.deepEqual([found.valueBytes, found.slabBytes, found.count], [valueBytes, 5000, 2])
      assert.deepEqual([...arena.subarray(found.first, found.first + 6)], refs)
    }
  }
})

test('references that do not fit are refused, and nothing is written behind the limit', () => {
  for (let limit = 8; limit < 40; limit++) {
    const arena = new Int32Array(10).fill(-7)
    const end = writeRefs(arena, 0, 8, limit, named([1, 2, 3], 64))
    assert.ok(end === -1 || end <= limit)
    assert.ok(arena.subarray(Math.ceil(limit / 4)).every((word) => word === -7))
  }
})

test('whatever lies there, reading stays within the arena and ends', () => {
  const word = fc.oneof(fc.integer({ min: -5, max: 20 }), fc.integer())
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 30 }),
      fc.integer(),
      fc.integer(),
      (words, a, b) => {
        const arena = Int32Array.from(words)
        for (const [from, length] of [
          [a % 200, b % 200],
          [a, b],
        ]) {
          const { first, count } = readRefs(arena, from, length, emptyRefs())
          if (first >= 0) assert.ok(first + count * 3 < arena.length)
        }
      },
    ),
  )
})
