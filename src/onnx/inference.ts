/** A model as a stage. */
import { SPLIT, type Split } from '../define/split-body.ts'
import type { StageObject } from '../define/stage-body.ts'
import { checkOptions } from '../plan/check-options.ts'
import { INFERENCE_OPTIONS, type InferenceOptions, type TensorData } from './inference-options.ts'
import { ItemReader, type ItemTensors } from './item-reader.ts'
import { MicroBatcher } from './micro-batcher.ts'
import { Model } from './model.ts'

/** With the defaults filled in. */
export type CheckedInference = InferenceOptions<unknown, string, unknown> &
  Required<Pick<InferenceOptions<unknown, string, unknown>, 'providers' | 'threads'>> & {
    batch: { max: number; withinMs: number }
  }

interface Engine {
  model: Model
  /** Of what goes in for an item, and what comes out. */
  batcher: MicroBatcher<ItemTensors, TensorData[]>
}

/**
 * Runs an ONNX model on each item, with onnxruntime-node (an optional peer: `npm install onnxruntime-node`): a stage. The
 * model is loaded once in each worker; its inputs and outputs are compared with what is said of them before the first item
 * is read. Items that wait together go through it together, if `batch` says so.
 *
 * It sets defaults for the stage, which the stage's own options go before: `on: 'process'`, `concurrency: batch.max`,
 * `nativeThreads: threads - 1`. In a process the model alone computes: `read` and `result` are called in the worker's
 * thread, and only the numbers travel, unless the stage has operators fused to it.
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
  const { read, result } = new ItemReader(checked)
  const body: StageObject<unknown, Promise<unknown>, Engine, never> & { [SPLIT]: Split<Engine> } = {
    defaults: { on: 'process', concurrency: batch.max, nativeThreads: threads - 1 },
    open: async ({ signal }) => {
      const model = await Model.load(checked)
      const batcher = new MicroBatcher<ItemTensors, TensorData[]>(batch.max, batch.withinMs, (items) =>
        model.run(items),
      )
      signal.addEventListener('abort', () => batcher.hurry(), { once: true })
      return { model, batcher }
    },
    process: async (item, { batcher }) => result(item, await batcher.add(read(item))),
    [SPLIT]: {
      ask: read,
      compute: (tensors, { batcher }) => batcher.add(tensors as ItemTensors),
      answer: (item, tensors) => result(item, tensors as TensorData[]),
    },
    close: ({ model, batcher }) => {
      batcher.close()
      return model.close()
    },
  }
  return body as unknown as StageObject<Item, Promise<Output>, unknown, never>
}
