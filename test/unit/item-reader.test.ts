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
