/**
 * Writes motion.onnx: how much has changed between two pictures, and where.
 *
 *   pictures [N, 2, 90, 160], bytes from 0 to 255: the picture before, and the one now
 *   -> Conv, 5 x 5: the mean of what is around each pixel now, less the same before, divided by 255
 *   -> Abs
 *   -> AveragePool, 10 x 10: grid [N, 1, 9, 16]
 *   -> GlobalAveragePool: score [N, 1, 1, 1], from 0 (nothing) to 1 (from black to white)
 *
 * ONNX is protocol buffers: a field is its number and its kind, then a varint, or a length and bytes.
 */
import { writeFileSync } from 'node:fs'

const KERNEL = 5
const [INT, INTS] = [2, 7]
const FLOAT = 1

function varint(number) {
  const bytes = []
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128)
  return [...bytes, number]
}
const field = (number, value) => {
  if (typeof value === 'number') return [...varint(number * 8), ...varint(value)]
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]
}
const fields = (number, values) => values.flatMap((value) => field(number, value))

function attribute(name, value) {
  const isList = Array.isArray(value)
  const content = isList ? fields(8, value) : field(3, value)
  return [...field(1, name), ...content, ...field(20, isList ? INTS : INT)]
}

function node(type, inputs, output, attributes = {}) {
  const listed = Object.entries(attributes).map(([name, value]) => attribute(name, value))
  return [...fields(1, inputs), ...field(2, output), ...field(4, type), ...fields(5, listed)]
}

function tensor(name, dims, data) {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return [...fields(1, dims), ...field(2, FLOAT), ...field(8, name), ...field(9, bytes)]
}

/** A dimension that is a text is free. */
function value(name, dims) {
  const shape = dims.map((dim) => field(typeof dim === 'number' ? 1 : 2, dim))
  return [...field(1, name), ...field(2, field(1, [...field(1, FLOAT), ...field(2, fields(1, shape))]))]
}

export function makeModel() {
  const weight = 1 / (KERNEL * KERNEL * 255)
  const weights = new Float32Array(2 * KERNEL * KERNEL).fill(-weight, 0, KERNEL * KERNEL)
  weights.fill(weight, KERNEL * KERNEL)
  const graph = [
    ...fields(1, [
      node('Conv', ['pictures', 'weights'], 'change', { kernel_shape: [KERNEL, KERNEL], pads: [2, 2, 2, 2] }),
      node('Abs', ['change'], 'size'),
      node('AveragePool', ['size'], 'grid', { kernel_shape: [10, 10], strides: [10, 10] }),
      node('GlobalAveragePool', ['grid'], 'score'),
    ]),
    ...field(2, 'motion'),
    ...field(5, tensor('weights', [1, 2, KERNEL, KERNEL], weights)),
    ...field(11, value('pictures', ['N', 2, 90, 160])),
    ...fields(12, [value('grid', ['N', 1, 9, 16]), value('score', ['N', 1, 1, 1])]),
  ]
  // IR version 8, operators as of version 13.
  return Buffer.from([...field(1, 8), ...field(7, graph), ...field(8, field(2, 13))])
}

if (import.meta.url === `file://${process.argv[1]}`) {
  writeFileSync(new URL('./motion.onnx', import.meta.url), makeModel())
}
