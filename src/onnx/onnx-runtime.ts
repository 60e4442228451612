/** What is used of onnxruntime-node, an optional peer; onnxruntime-web fits too. */
import { MillraceError } from '../errors.ts'
import type { TensorData } from './inference-options.ts'

export interface OnnxTensor {
  readonly dims: readonly number[]
  readonly data: unknown
  dispose?(): void
}

/** What a model says of one of its inputs or outputs. */
export interface OnnxValue {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  /** A dimension that is free is a name, or -1. */
  readonly shape?: readonly (number | string)[]
}

export interface OnnxSession {
  readonly inputMetadata: readonly OnnxValue[]
  readonly outputMetadata: readonly OnnxValue[]
  run(feeds: Record<string, OnnxTensor>, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>
  release(): Promise<void>
}

export interface OnnxRuntime {
  readonly InferenceSession: {
    create(path: string, options: Record<string, unknown>): Promise<OnnxSession>
  }
  readonly Tensor: new (type: string, data: TensorData, dims: readonly number[]) => OnnxTensor
}

const PACKAGE = 'onnxruntime-node'

/** @throws MILLRACE_MODEL_FAILED if it is not installed, or cannot be loaded */
export async function loadRuntime(load: (() => Promise<unknown>) | undefined): Promise<OnnxRuntime> {
  try {
    // The name in a variable: it need not be there to build or to check types.
    const module = (await (load?.() ?? import(PACKAGE))) as Partial<OnnxRuntime> & { default?: OnnxRuntime }
    return (module.InferenceSession === undefined ? module.default : module) as OnnxRuntime
  } catch (cause) {
    const message = `${PACKAGE} cannot be loaded: ${(cause as Error).message}`
    throw new MillraceError('MILLRACE_MODEL_FAILED', message, { cause })
  }
}
