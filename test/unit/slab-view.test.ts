import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlabView } from '../../src/queue/slab-view.ts'

const SIZE = 1000
const index = fc.option(fc.integer({ min: -SIZE - 100, max: SIZE + 100 }), { nil: undefined })

function pair(): { slab: SlabView; plain: Uint8Array } {
  const bytes = Uint8Array.from({ length: SIZE }, (_, at) => at % 251)
  const slab = new SlabView(new SharedArrayBuffer(SIZE + 64), 64, SIZE)
  slab.set(bytes)
  return { slab, plain: bytes }
}

function assertSame(one: Uint8Array, other: Uint8Array): void {
  assert.ok(Buffer.compare(one, other) === 0)
}

test('fill is that of a Uint8Array', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.double()), index, index, (value, start, end) => {
      const { slab, plain } = pair()
      // V8 takes an end of 0 for none if the start is undefined.
      const places = start === undefined ? [] : end === undefined ? [start] : [start, end]
      assert.equal(slab.fill(value, ...places), slab)
      plain.fill(value, ...places)
      assertSame(slab, plain)
    }),
  )
})

test('set is that of a Uint8Array, whatever it copies from, also from itself', () => {
  const sources = [
    (length: number) => new Uint8Array(length).fill(7),
    (length: number) => Buffer.alloc(length, 8),
    (length: number) => Array.from({ length }, () => 300),
    (length: number) => new Float32Array(length).fill(9.7),
    (length: number) => new Uint8ClampedArray(length).fill(10),
    (length: number) => new Int8Array(length).fill(-1),
  ]
  const length = fc.integer({ min: 0, max: SIZE })
  fc.assert(
    fc.property(fc.constantFrom(...sources), length, length, (source, length, offset) => {
      const { slab, plain } = pair()
      const given = source(length)
      if (offset + length > SIZE) return assert.throws(() => slab.set(given, offset), RangeError)
      slab.set(given, offset)
      plain.set(given, offset)
      assertSame(slab, plain)
    }),
  )
  fc.assert(
    fc.property(length, length, length, (from, to, offset) => {
      const { slab, plain } = pair()
      if (to < from || offset + to - from > SIZE) return
      slab.set(slab.subarray(from, to), offset)
      plain.set(plain.subarray(from, to), offset)
      assertSame(slab, plain)
    }),
  )
})

test('subarray shows the same memory as fast; slice is a copy of its own', () => {
  fc.assert(
    fc.property(index, index, (begin, end) => {
      const { slab, plain } = pair()
      const part = slab.subarray(begin, end)
      assert.ok(part instanceof SlabView && part.buffer === slab.buffer)
      assertSame(part, plain.subarray(begin, end))
      const copy = slab.slice(begin, end)
      assert.ok(copy.buffer instanceof ArrayBuffer && !(copy instanceof SlabView))
      assertSame(copy, plain.slice(begin, end))
    }),
  )
})

test('what makes new arrays of it makes ordinary ones', () => {
  const { slab } = pair()
  assert.ok(slab.map((byte) => byte + 1).buffer instanceof ArrayBuffer)
  assert.ok(slab.filter((byte) => byte > 3).buffer instanceof ArrayBuffer)
})
