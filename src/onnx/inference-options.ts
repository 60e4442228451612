/** The options of `inference`, in one table. */
import {
  isFunction,
  isIntegerFrom,
  isNumberFrom,
  isObject,
  isOneOf,
  type OptionTable,
} from '../define/option-table.ts'

/** What a tensor is made of, by ONNX's names. */
export type TensorType =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** The class of the array that holds numbers of a type. */
export const ARRAY_OF: Readonly<Record<TensorType, new (length: number) => TensorData>> = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
}

/** An input of the model. */
export interface InputSpec<Item> {
  /** Its dimensions for one item; of a batch, the first is so many times as large as there are items. */
  dims: readonly number[]
  /** Default 'float32'. */
  type?: TensorType
  /**
   * Gives the numbers, in row-major order; they are copied. An array of any kind: they become of the input's type, and what
   * cannot (1.5 of 'int64', 300 of 'uint8', a text) fails the item: nothing is rounded to a whole number or wrapped.
   * 'float32' and 'float64' take any number. 'bool': 0 and 1, or false and true.
   */
  read: (item: Item) => ArrayLike<number | bigint>
}

/** The dimensions of an output for one item. */
export type OutputDims = readonly number[]

export interface BatchLimits {
  /** Items that are given to the model at once, at most. */
  max: number
  /** How long the first of them waits for others, in milliseconds. Default 0: what waits goes together. */
  withinMs?: number
}

export interface InferenceOptions<Item, Names extends string, Output> {
  /** The model's file. */
  model: string | URL
  /** What goes into it, by the names of the model's inputs. */
  inputs: Readonly<Record<string, InputSpec<Item>>>
  /** What comes out of it, by the names of the model's outputs; those that are not named are not computed. */
  outputs: Readonly<Record<Names, OutputDims>>
  /** Makes what the stage gives from the outputs for an item; they are its own. */
  result: (item: Item, outputs: Record<Names, TensorData>) => Output
  /** Default: one item at a time. */
  batch?: BatchLimits
  /** Where it is computed, in order of preference: names of providers that this ONNX Runtime has. Default ['cpu']. */
  providers?: readonly string[]
  /** Threads that compute in each worker. Default 1. */
  threads?: number
  /** Loads ONNX Runtime. Default: `import('onnxruntime-node')`. */
  runtime?: () => Promise<unknown>
}

const dims = {
  expected: 'an array of integers from 1 on',
  isValid: (value: unknown) => Array.isArray(value) && value.every(isIntegerFrom(1, 2 ** 31)),
  isRequired: true,
  doc: 'Its dimensions for one item.',
} as const
const hasNames = (value: unknown): boolean => isObject(value) && Object.keys(value).length > 0

const INPUT_OPTIONS = {
  dims,
  type: {
    expected: `one of ${Object.keys(ARRAY_OF).join(', ')}`,
    isValid: isOneOf(...Object.keys(ARRAY_OF)),
    default: 'float32',
    doc: 'What it is made of.',
  },
  read: { expected: 'a function', isValid: isFunction, isRequired: true, doc: 'Gives the numbers.' },
} as const satisfies OptionTable

const BATCH_OPTIONS = {
  max: {
    expected: 'an integer from 1 to 4,096',
    isValid: isIntegerFrom(1, 4096),
    isRequired: true,
    unit: 'items',
    doc: 'Items that are given to the model at once, at most.',
  },
  withinMs: {
    expected: 'a number of milliseconds from 0 to 60,000',
    isValid: isNumberFrom(0, 60_000),
    default: 0,
    unit: 'ms',
    doc: 'How long the first of them waits for others.',
  },
} as const satisfies OptionTable

export const INFERENCE_OPTIONS = {
  model: {
    expected: 'the path or the URL of a file',
    isValid: (value) => (typeof value === 'string' && value !== '') || value instanceof URL,
    isRequired: true,
    doc: "The model's file.",
  },
  inputs: {
    expected: 'an object of { dims, type, read }, by the names of the inputs',
    isValid: hasNames,
    each: {
      expected: 'an object { dims, type, read }',
      isValid: isObject,
      fields: INPUT_OPTIONS,
      doc: 'An input.',
    },
    isRequired: true,
    doc: 'What goes into it, by the names of its inputs.',
  },
  outputs: {
    expected: 'an object of dimensions, by the names of the outputs',
    isValid: hasNames,
    each: dims,
    isRequired: true,
    doc: 'What comes out of it, by the names of its outputs.',
  },
  result: {
    expected: 'a function',
    isValid: isFunction,
    isRequired: true,
    doc: 'Makes what the stage gives.',
  },
  batch: {
    expected: 'an object { max, withinMs }',
    isValid: isObject,
    fields: BATCH_OPTIONS,
    default: { max: 1, withinMs: 0 },
    doc: 'How many items are given to the model at once.',
  },
  providers: {
    expected: 'an array of names',
    isValid: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    default: ['cpu'],
    doc: 'Where it is computed.',
  },
  threads: {
    expected: 'an integer from 1 to 256',
    isValid: isIntegerFrom(1, 256),
    default: 1,
    doc: 'Threads that compute in each worker.',
  },
  runtime: { expected: 'a function', isValid: isFunction, doc: 'Loads ONNX Runtime.' },
} as const satisfies OptionTable
