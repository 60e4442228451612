/** A model as a stage. */
import type { StageObject } from '../define/stage-body.ts'
import { checkOptions } from '../plan/check-options.ts'
import { INFERENCE_OPTIONS, type InferenceOptions } from './inference-options.ts'
import { MicroBatcher } from './micro-batcher.ts'
import { Model } from './model.ts'

/** With the defaults filled in. */
export type CheckedInference = InferenceOptions<unknown, string, unknown> &
  Required<Pick<InferenceOptions<unknown, string, unknown>, 'providers' | 'threads'>> & {
    batch: { max: number; withinMs: number }
  }

interface Engine {
  model: Model
  batcher: MicroBatcher<unknown, unknown>
}

/**
 * Runs an ONNX model on each item, with onnxruntime-node (an optional peer: `npm install onnxruntime-node`): a stage. The
 * model is loaded once in each worker; its inputs and outputs are compared with what is said of them before the first item
 * is read. Items that wait together go through it together, if `batch` says so.
 *
 * It sets defaults for the stage, which the stage's own options go before: `concurrency: batch.max`,
 * `nativeThreads: threads - 1`.
 *
 * @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION; in the run MILLRACE_MODEL_FAILED, MILLRACE_MODEL_MISMATCH
 * @example
 * .stage('score', inference({
 *   model: new URL('./sharpness.onnx', import.meta.url),
 *   inputs: { picture: { dims: [1, 1, 90, 160], read: (frame: Frame) => frame.small } },
 *   outputs: { sharpness: [1] },
 *   result: (frame, { sharpness }) => ({ ...frame, sharpness: Number(sharpness[0]) }),
 *   batch: { max: 8 },
 * }))
 */
export function inference<Item, Names extends string, Output>(
  options: InferenceOptions<Item, Names, Output>,
): StageObject<Item, Promise<Output>, unknown, never> {
  const checked = checkOptions('inference', INFERENCE_OPTIONS, options) as unknown as CheckedInference
  const { batch, threads } = checked
  const body: StageObject<unknown, Promise<unknown>, Engine, never> = {
    defaults: { concurrency: batch.max, nativeThreads: threads - 1 },
    open: async () => {
      const model = await Model.load(checked)
      return { model, batcher: new MicroBatcher(batch.max, batch.withinMs, (items) => model.run(items)) }
    },
    process: (item, { batcher }) => batcher.add(item),
    close: ({ model, batcher }) => {
      batcher.close()
      return model.close()
    },
  }
  return body as unknown as StageObject<Item, Promise<Output>, unknown, never>
}
