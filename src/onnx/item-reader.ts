/** What goes into a model for one item, and what is made of what comes out. Knows nothing of the model but what is said of it. */
import { MillraceError, show } from '../errors.ts'
import type { CheckedInference } from './inference.ts'
import { ARRAY_OF, type TensorData, type TensorType } from './inference-options.ts'

/** The numbers of each input for one item, in the order in which the options name them. */
export type ItemTensors = ArrayLike<number | bigint>[]

export class ItemReader {
  readonly #options: CheckedInference

  constructor(options: CheckedInference) {
    this.#options = options
  }

  /** @throws MILLRACE_MODEL_MISMATCH */
  readonly read = (item: unknown): ItemTensors =>
    Object.entries(this.#options.inputs).map(([name, { dims, type = 'float32', read }]) => {
      const numbers: unknown = read(item)
      const length = sizeOf(dims)
      if (!isArrayLike(numbers)) throw this.#mismatch(name, `takes an array of numbers, got ${show(numbers)}`)
      if (numbers.length !== length)
        throw this.#mismatch(name, `takes ${length} numbers for an item, got ${numbers.length}`)
      if (isReadyFor(type, numbers)) return numbers
      return Array.from(numbers, (one: unknown) => {
        const made = toType(type, one)
        if (made === undefined) throw this.#mismatch(name, `is of type ${type}, got ${show(one)}`)
        return made
      })
    })

  /** @param given the numbers of each output, in the order in which the options name them */
  readonly result = (item: unknown, given: TensorData[]): unknown => {
    const names = Object.keys(this.#options.outputs)
    return this.#options.result(item, Object.fromEntries(names.map((name, at) => [name, given[at]])))
  }

  #mismatch(name: string, what: string): MillraceError {
    const model = show(String(this.#options.model))
    return new MillraceError('MILLRACE_MODEL_MISMATCH', `model ${model}: input "${name}" ${what}`)
  }
}

/** The least and the greatest of each type that holds whole numbers; the others hold any number. */
const RANGES: { readonly [type in TensorType]?: readonly [number | bigint, number | bigint] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bool: [0, 1],
}

/** Their arrays hold bigints. */
const BIG_TYPES: ReadonlySet<TensorType> = new Set(['int64', 'uint64'])

function isArrayLike(value: unknown): value is ArrayLike<number | bigint> {
  return typeof value === 'object' && value !== null && 'length' in value && typeof value.length === 'number'
}

/** A typed array whose numbers are those of the type: nothing is to be made of them. */
function isReadyFor(type: TensorType, numbers: ArrayLike<number | bigint>): boolean {
  if (!ArrayBuffer.isView(numbers)) return false
  const isBig = numbers instanceof BigInt64Array || numbers instanceof BigUint64Array
  if (isBig !== BIG_TYPES.has(type)) return false
  return isSurelyOf(type, numbers) || areOf(type, numbers)
}

/** Known without a look at each of them. The bytes of a bool may be anything. */
function isSurelyOf(type: TensorType, numbers: ArrayLike<number | bigint>): boolean {
  return RANGES[type] === undefined || (type !== 'bool' && numbers instanceof ARRAY_OF[type])
}

/** A plain loop: an array may be as long as a picture has pixels. */
function areOf(type: TensorType, numbers: ArrayLike<number | bigint>): boolean {
  for (let at = 0; at < numbers.length; at++) if (!isOf(type, numbers[at])) return false
  return true
}

/** Numbers and bigints are compared as they are: nothing is rounded. */
function isOf(type: TensorType, one: number | bigint): boolean {
  const range = RANGES[type]
  if (range === undefined) return true
  return (typeof one === 'bigint' || Number.isInteger(one)) && one >= range[0] && one <= range[1]
}

/** Undefined: it cannot be one. */
function toType(type: TensorType, one: unknown): number | bigint | undefined {
  const number = typeof one === 'boolean' ? Number(one) : one
  if ((typeof number !== 'number' && typeof number !== 'bigint') || !isOf(type, number)) return undefined
  return BIG_TYPES.has(type) ? BigInt(number) : Number(number)
}

/** How many numbers. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1)
}
