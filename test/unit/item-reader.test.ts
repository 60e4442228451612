/** What goes into a model: numbers of any kind become of the input's type. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckedInference } from '../../src/onnx/inference.ts'
import type { TensorType } from '../../src/onnx/inference-options.ts'
import { ItemReader } from '../../src/onnx/item-reader.ts'

function read(type: TensorType, numbers: unknown): unknown {
  const inputs = { x: { dims: [1, 3], type, read: () => numbers } }
  return new ItemReader({ model: 'm.onnx', inputs, outputs: {} } as unknown as CheckedInference).read(0)[0]
}

test('numbers become bigints where the input takes those, and bigints numbers where it does not', () => {
  assert.deepEqual(read('int64', Int32Array.of(1, 2, 3)), [1n, 2n, 3n])
  assert.deepEqual(read('uint64', [1, 2n, 3]), [1n, 2n, 3n])
  assert.deepEqual(read('float32', BigInt64Array.of(1n, 2n, 3n)), [1, 2, 3])
  assert.deepEqual(read('bool', [true, false, 1]), [1, 0, 1])
})

test('a typed array that fits is passed on as it is', () => {
  const floats = Float64Array.of(0.5, 1, 2)
  assert.equal(read('float32', floats), floats)
  const bigs = BigInt64Array.of(1n, 2n, 3n)
  assert.equal(read('int64', bigs), bigs)
})

test('what is no such number is refused by the name of the input', () => {
  const refused = (message: RegExp) => ({ code: 'MILLRACE_MODEL_MISMATCH', message })
  assert.throws(() => read('int64', [1, 1.5, 2]), refused(/input "x" is of type int64, got 1.5$/))
  assert.throws(() => read('float32', ['1', 2, 3]), refused(/input "x" is of type float32, got '1'$/))
  assert.throws(
    () => read('float32', undefined),
    refused(/input "x" takes an array of numbers, got undefined$/),
  )
  assert.throws(() => read('float32', 'abc'), refused(/input "x" takes an array of numbers, got 'abc'$/))
  assert.throws(() => read('float32', [1]), refused(/input "x" takes 3 numbers for an item, got 1$/))
})

const LIMITS: [type: TensorType, least: number | bigint, most: number | bigint][] = [
  ['int8', -128, 127],
  ['uint8', 0, 255],
  ['int16', -32_768, 32_767],
  ['uint16', 0, 65_535],
  ['int32', -2_147_483_648, 2_147_483_647],
  ['uint32', 0, 4_294_967_295],
  ['int64', -(2n ** 63n), 2n ** 63n - 1n],
  ['uint64', 0n, 2n ** 64n - 1n],
  ['bool', 0, 1],
]

for (const [type, least, most] of LIMITS) {
  test(`of type ${type} are whole numbers from ${least} to ${most}, and nothing is rounded or wrapped`, () => {
    assert.deepEqual(read(type, [least, 1, most].map(BigInt)), read(type, [least, 1, most]))
    const [one, other] = read(type, [least, 1, most]) as (number | bigint)[]
    assert.deepEqual([BigInt(one), BigInt(other)], [BigInt(least), 1n])
    const tooMuch = [BigInt(least) - 1n, BigInt(most) + 1n]
    for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, -1e30, 1e30, ...tooMuch]) {
      assert.throws(() => read(type, [0, wrong, 0]), { code: 'MILLRACE_MODEL_MISMATCH' }, `${wrong}`)
    }
    for (const wrong of [0.5, Number.NaN, 1e30]) {
      assert.throws(() => read(type, Float64Array.of(0, 0, wrong)), { code: 'MILLRACE_MODEL_MISMATCH' })
    }
  })
}

test('numbers of a typed array of another kind are looked at, and it is passed on if all fit', () => {
  const small = Uint8Array.of(0, 1, 255)
  assert.equal(read('int32', small), small)
  assert.throws(() => read('int8', small), /is of type int8, got 255$/)
  assert.throws(() => read('bool', small), /is of type bool, got 255$/)
  assert.throws(() => read('uint64', BigInt64Array.of(0n, -5n, 0n)), /is of type uint64, got -5n$/)
})

test('an input of floating point takes any number, and a typed array of it or of small numbers as it is', () => {
  assert.deepEqual(read('float32', [Number.NaN, 1e300, -0.5]), [Number.NaN, 1e300, -0.5])
  const pixels = Uint8Array.of(0, 1, 255)
  assert.equal(read('float32', pixels), pixels)
})
