/** What goes into a model for one item, and what is made of what comes out. Knows nothing of the model but what is said of it. */
import { MillraceError, show } from '../errors.ts'
import type { CheckedInference } from './inference.ts'
import type { TensorData } from './inference-options.ts'

/** The numbers of each input for one item, in the order in which the options name them. */
export type ItemTensors = ArrayLike<number | bigint>[]

export class ItemReader {
  readonly #options: CheckedInference

  constructor(options: CheckedInference) {
    this.#options = options
  }

  /** @throws MILLRACE_MODEL_MISMATCH */
  readonly read = (item: unknown): ItemTensors =>
    Object.entries(this.#options.inputs).map(([name, { dims, read }]) => {
      const numbers = read(item)
      const length = sizeOf(dims)
      if (numbers.length === length) return numbers
      const model = show(String(this.#options.model))
      const message = `model ${model}: input "${name}" takes ${length} numbers for an item, got ${numbers.length}`
      throw new MillraceError('MILLRACE_MODEL_MISMATCH', message)
    })

  /** @param given the numbers of each output, in the order in which the options name them */
  readonly result = (item: unknown, given: TensorData[]): unknown => {
    const names = Object.keys(this.#options.outputs)
    return this.#options.result(item, Object.fromEntries(names.map((name, at) => [name, given[at]])))
  }
}

/** How many numbers. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1)
}
