/** A model that is loaded: from the numbers of items to tensors, through the session, and to the numbers for each. */
import { fileURLToPath } from 'node:url'
import { MillraceError, show } from '../errors.ts'
import { checkModel } from './check-model.ts'
import type { CheckedInference } from './inference.ts'
import { ARRAY_OF, type InputSpec, type TensorData } from './inference-options.ts'
import { type ItemTensors, sizeOf } from './item-reader.ts'
import { loadRuntime, type OnnxRuntime, type OnnxSession, type OnnxTensor } from './onnx-runtime.ts'

export class Model {
  readonly #runtime: OnnxRuntime
  readonly #session: OnnxSession
  readonly #options: CheckedInference

  /** @throws MILLRACE_MODEL_FAILED, MILLRACE_MODEL_MISMATCH */
  static async load(options: CheckedInference): Promise<Model> {
    const runtime = await loadRuntime(options.runtime)
    const session = await createSession(runtime, options)
    try {
      checkModel(session, options)
    } catch (error) {
      await session.release()
      throw error
    }
    return new Model(runtime, session, options)
  }

  private constructor(runtime: OnnxRuntime, session: OnnxSession, options: CheckedInference) {
    this.#runtime = runtime
    this.#session = session
    this.#options = options
  }

  /** What comes out for each item. @throws MILLRACE_MODEL_FAILED, MILLRACE_MODEL_MISMATCH */
  async run(items: ItemTensors[]): Promise<TensorData[][]> {
    const { inputs, outputs } = this.#options
    const feeds: Record<string, OnnxTensor> = {}
    for (const [at, [name, spec]] of Object.entries(inputs).entries()) {
      feeds[name] = this.#gather(
        spec,
        items.map((tensors) => tensors[at]),
      )
    }
    const given = await this.#compute(feeds, Object.keys(outputs))
    const split = Object.entries(outputs).map(([name, dims]) =>
      this.#split(name, given[name], dims, items.length),
    )
    return items.map((_, index) => split.map((parts) => parts[index]))
  }

  close(): Promise<void> {
    return this.#session.release()
  }

  async #compute(feeds: Record<string, OnnxTensor>, names: string[]): Promise<Record<string, OnnxTensor>> {
    try {
      return await this.#session.run(feeds, names)
    } catch (cause) {
      const message = `model ${this.#name} failed: ${(cause as Error).message}`
      throw new MillraceError('MILLRACE_MODEL_FAILED', message, { cause })
    }
  }

  /** One tensor of all items. Memory of its own: on Node 20, ONNX Runtime takes none that is shared between threads. */
  #gather({ dims, type = 'float32' }: InputSpec<unknown>, items: ArrayLike<number | bigint>[]): OnnxTensor {
    const length = sizeOf(dims)
    const data = new ARRAY_OF[type](length * items.length)
    for (const [index, numbers] of items.entries()) data.set(numbers as ArrayLike<never>, index * length)
    return new this.#runtime.Tensor(type, data, batchDims(dims, items.length))
  }

  #split(name: string, tensor: OnnxTensor, dims: readonly number[], count: number): TensorData[] {
    const data = tensor.data as TensorData
    const length = sizeOf(dims)
    if (data.length !== length * count) {
      const got = `[${tensor.dims.join(', ')}]`
      const message = `model ${this.#name}: output "${name}" should be [${batchDims(dims, count).join(', ')}], got ${got}`
      throw new MillraceError('MILLRACE_MODEL_MISMATCH', message)
    }
    return Array.from({ length: count }, (_, index) => data.slice(index * length, (index + 1) * length))
  }

  get #name(): string {
    return show(String(this.#options.model))
  }
}

async function createSession(runtime: OnnxRuntime, options: CheckedInference): Promise<OnnxSession> {
  const { model, providers, threads } = options
  const path = model instanceof URL ? fileURLToPath(model) : model
  try {
    return await runtime.InferenceSession.create(path, {
      executionProviders: providers,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
    })
  } catch (cause) {
    const message = `model ${show(path)} cannot be loaded: ${(cause as Error).message}`
    throw new MillraceError('MILLRACE_MODEL_FAILED', message, { cause })
  }
}

/** The first is so many times as large. */
function batchDims([first = 1, ...others]: readonly number[], count: number): number[] {
  return [first * count, ...others]
}
