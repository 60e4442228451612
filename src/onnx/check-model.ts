/** Whether a model takes and gives what the stage says: before the first item is read. */
import { MillraceError, show } from '../errors.ts'
import type { CheckedInference } from './inference.ts'
import type { OnnxSession, OnnxValue } from './onnx-runtime.ts'

/** @throws MILLRACE_MODEL_MISMATCH */
export function checkModel(session: OnnxSession, options: CheckedInference): void {
  const { inputs, outputs, batch } = options
  const name = show(String(options.model))
  for (const value of session.inputMetadata) {
    if (!Object.hasOwn(inputs, value.name)) throw mismatch(name, 'input', value.name, 'is not given')
  }
  for (const [input, { dims, type = 'float32' }] of Object.entries(inputs)) {
    const value = find(session.inputMetadata, name, 'input', input)
    if (value.type !== type) throw mismatch(name, 'input', input, `is "${value.type}", got "${type}"`)
    checkDims(value, dims, batch.max, name, 'input')
  }
  for (const [output, dims] of Object.entries(outputs)) {
    checkDims(find(session.outputMetadata, name, 'output', output), dims, batch.max, name, 'output')
  }
}

type Kind = 'input' | 'output'

function find(values: readonly OnnxValue[], model: string, kind: Kind, name: string): OnnxValue {
  const value = values.find((each) => each.name === name)
  if (value?.isTensor === true) return value
  if (value !== undefined) throw mismatch(model, kind, name, 'is no tensor')
  const known = values.map((each) => each.name).join(', ')
  throw mismatch(model, kind, name, `does not exist; there are ${known}`)
}

function checkDims(
  { name, shape }: OnnxValue,
  dims: readonly number[],
  most: number,
  model: string,
  kind: Kind,
): void {
  // Not known. Of an input or output without dimensions it is empty, too.
  if (shape === undefined || shape.length === 0) return
  const isFree = (dim: number | string): boolean => typeof dim === 'string' || dim < 0
  const fits = shape.length === dims.length && shape.every((dim, at) => isFree(dim) || dim === dims[at])
  if (!fits)
    throw mismatch(model, kind, name, `has the dimensions [${shape.join(', ')}], got [${dims.join(', ')}]`)
  if (most === 1) return
  const [first] = shape
  if (first !== undefined && isFree(first)) return
  throw mismatch(
    model,
    kind,
    name,
    `has a fixed first dimension in [${shape.join(', ')}]: batch.max must be 1, got ${most}`,
  )
}

function mismatch(model: string, kind: Kind, name: string, why: string): MillraceError {
  return new MillraceError('MILLRACE_MODEL_MISMATCH', `model ${model}: ${kind} "${name}" ${why}`)
}
