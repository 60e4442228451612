/** Values as python/millrace.py reads and writes them: a head in JSON, then the bytes of its arrays. */
import { MillraceError, show } from '../errors.ts'

/** An array of numbers with several dimensions, in rows. */
export interface NdArray {
  data: ArrayBufferView
  shape: readonly number[]
}

const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const
type Dtype = keyof typeof ARRAYS
const LENGTH_BYTES = 4

/** What stands for a value that JSON has not; an object of the user's with such a name is within `$object`. */
interface Marked {
  $bytes?: number
  $array?: number
  $object?: object
  $int?: string
  $float?: string
}

export function encodePython(item: unknown): Uint8Array {
  const parts: Uint8Array[] = []
  const value = plain(item, parts)
  const head = Buffer.from(JSON.stringify({ value, sizes: parts.map(({ length }) => length) }))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(head.length, 0)
  return Buffer.concat([length, head, ...parts])
}

export function decodePython(frame: Uint8Array): unknown {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  let at = LENGTH_BYTES + bytes.readUInt32BE(0)
  const { value, sizes } = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, at)) as {
    value: unknown
    sizes: number[]
  }
  const parts = sizes.map((size) => bytes.subarray(at, (at += size)))
  return revive(value, parts)
}

function plain(value: unknown, parts: Uint8Array[]): unknown {
  if (value === undefined) return null
  if (typeof value === 'number') return isPlainNumber(value) ? value : { $float: nameOf(value) }
  if (typeof value === 'bigint') return { $int: value.toString(16) }
  if (typeof value === 'function' || typeof value === 'symbol') throw refused(value)
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) return plainArray(value, undefined, parts)
  if (Array.isArray(value)) return value.map((one) => plain(one, parts))
  if (isNdArray(value)) return plainArray(value.data, value.shape, parts)
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto !== Object.prototype && proto !== null) throw refused(value)
  const entries = Object.entries(value).map(([key, one]) => [key, plain(one, parts)] as const)
  const object = Object.fromEntries(entries)
  return entries.some(([key]) => key.startsWith('$')) ? { $object: object } : object
}

/** In hexadecimal: Python reads and writes no more than 4,300 decimal digits. */
function bigintOf(hex: string): bigint {
  return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`)
}

/** JSON has no other floats, and says whole ones as integers, which Python would take for exact. */
function isPlainNumber(value: number): boolean {
  if (Number.isInteger(value)) return Number.isSafeInteger(value) && !Object.is(value, -0)
  return Number.isFinite(value)
}

/** As `Number` and Python's `float` read it. */
function nameOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function plainArray(
  view: ArrayBufferView,
  shape: readonly number[] | undefined,
  parts: Uint8Array[],
): unknown {
  const at = parts.push(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)) - 1
  if (view instanceof Uint8Array && shape === undefined) return { $bytes: at }
  const dtype = Object.entries(ARRAYS).find(([, type]) => view instanceof type)?.[0]
  if (dtype === undefined) throw refused(view)
  return { $array: at, dtype, shape: shape ?? [(view as Int8Array).length] }
}

function revive(value: unknown, parts: readonly Buffer[]): unknown {
  if (Array.isArray(value)) return value.map((one) => revive(one, parts))
  if (typeof value !== 'object' || value === null) return value
  const { $bytes, $array, $object, $int, $float } = value as Marked
  if ($int !== undefined) return bigintOf($int)
  if ($float !== undefined) return Number($float)
  if ($bytes !== undefined) return new Uint8Array(parts[$bytes])
  if ($array !== undefined) return reviveArray(value as { dtype: Dtype; shape: number[] }, parts[$array])
  return Object.fromEntries(Object.entries($object ?? value).map(([key, one]) => [key, revive(one, parts)]))
}

/** In memory of its own, where its numbers are aligned. */
function reviveArray({ dtype, shape }: { dtype: Dtype; shape: number[] }, bytes: Buffer): unknown {
  const data = new ARRAYS[dtype](new Uint8Array(bytes).buffer)
  return shape.length === 1 ? data : { data, shape }
}

function isNdArray(value: object): value is NdArray {
  const { data, shape } = value as Partial<NdArray>
  return ArrayBuffer.isView(data) && Array.isArray(shape) && Object.keys(value).length === 2
}

function refused(value: unknown): MillraceError {
  return new MillraceError('MILLRACE_NOT_CLONEABLE', `an item cannot travel to Python: ${show(value)}`)
}
