/** What goes into a model for one item, and what is made of what comes out. Knows nothing of the model but what is said of it. */
import { MillraceError, show } from '../errors.ts'
import type { CheckedInference } from './inference.ts'
import type { TensorData, TensorType } from './inference-options.ts'

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
      const make = BIG_TYPES.has(type) ? toBigInt : toNumber
      return Array.from(numbers, (one) => {
        const made = make(one)
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

/** Their arrays hold bigints. */
const BIG_TYPES: ReadonlySet<TensorType> = new Set(['int64', 'uint64'])

function isArrayLike(value: unknown): value is ArrayLike<number | bigint> {
  return typeof value === 'object' && value !== null && 'length' in value && typeof value.length === 'number'
}

/** A typed array of the right kind of numbers needs no look at each of them. */
function isReadyFor(type: TensorType, numbers: ArrayLike<number | bigint>): boolean {
  if (!ArrayBuffer.isView(numbers)) return false
  const isBig = numbers instanceof BigInt64Array || numbers instanceof BigUint64Array
  return isBig === BIG_TYPES.has(type)
}

function toBigInt(one: unknown): bigint | undefined {
  if (typeof one === 'bigint') return one
  return typeof one === 'number' && Number.isInteger(one) ? BigInt(one) : undefined
}

function toNumber(one: unknown): number | undefined {
  return typeof one === 'number' || typeof one === 'bigint' || typeof one === 'boolean'
    ? Number(one)
    : undefined
}

/** How many numbers. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1)
}
