/** Inference with ONNX models as a stage: `millrace/onnx`. */
export { inference } from './onnx/inference.ts'
export type {
  BatchLimits,
  InferenceOptions,
  InputSpec,
  OutputDims,
  TensorData,
  TensorType,
} from './onnx/inference-options.ts'
export type { OnnxRuntime } from './onnx/onnx-runtime.ts'
