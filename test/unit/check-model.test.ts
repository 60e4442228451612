import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkModel } from '../../src/onnx/check-model.ts'
import { inference } from '../../src/onnx/inference.ts'
import type { OnnxSession, OnnxValue } from '../../src/onnx/onnx-runtime.ts'

const value = (name: string, shape: (number | string)[], type = 'float32'): OnnxValue => {
  return { name, isTensor: true, type, shape }
}

function check(change: object, most = 1): void {
  const session = {
    inputMetadata: [value('picture', ['N', 1, 8, 8]), value('limit', [1])],
    outputMetadata: [value('score', ['N', 1]), value('mask', ['N', 1, 8, 8])],
  } as unknown as OnnxSession
  checkModel(session, {
    model: 'a.onnx',
    inputs: {
      picture: { dims: [1, 1, 8, 8], read: () => [] },
      limit: { dims: [1], read: () => [] },
    },
    outputs: { score: [1, 1] },
    result: () => 0,
    providers: ['cpu'],
    threads: 1,
    batch: { max: most, withinMs: 0 },
    ...change,
  })
}

const picture = { dims: [1, 1, 8, 8], read: () => [] }
const limit = { dims: [1], read: () => [] }

test('a model fits what is said of it, whatever stands for a free dimension', () => {
  assert.doesNotThrow(() => check({}))
  assert.doesNotThrow(() => check({ inputs: { picture: { ...picture, dims: [7, 1, 8, 8] }, limit } }))
})

const WRONG: [what: object, most: number, message: string][] = [
  [{ inputs: { picture } }, 1, 'input "limit" is not given'],
  [{ inputs: { picture, limit, other: limit } }, 1, 'input "other" does not exist; there are picture, limit'],
  [{ outputs: { depth: [1] } }, 1, 'output "depth" does not exist; there are score, mask'],
  [
    { inputs: { picture: { ...picture, dims: [1, 3, 8, 8] }, limit } },
    1,
    'input "picture" has the dimensions [N, 1, 8, 8], got [1, 3, 8, 8]',
  ],
  [
    { inputs: { picture: { ...picture, type: 'uint8' }, limit } },
    1,
    'input "picture" is "float32", got "uint8"',
  ],
  [{ outputs: { score: [1] } }, 1, 'output "score" has the dimensions [N, 1], got [1]'],
  [{}, 4, 'input "limit" has a fixed first dimension in [1]: batch.max must be 1, got 4'],
]

for (const [what, most, message] of WRONG) {
  test(`it is told what does not fit: ${message}`, () => {
    assert.throws(() => check(what, most), {
      code: 'MILLRACE_MODEL_MISMATCH',
      message: `model 'a.onnx': ${message}`,
    })
  })
}

test('wrong options are told when the stage is made', () => {
  const options = { model: 'a', inputs: { picture }, outputs: { score: [1] }, result: () => 0 }
  assert.doesNotThrow(() => inference(options))
  const refused = (change: object, message: RegExp) =>
    assert.throws(() => inference({ ...options, ...change }), { code: 'MILLRACE_INVALID_OPTION', message })
  refused({ inputs: {} }, /inference: inputs must be an object of { dims, type, read }, by the names/)
  refused(
    { inputs: { picture: [1, 1] } },
    /inputs\.picture must be an object { dims, type, read }, got \[ 1, 1 \]/,
  )
  refused({ inputs: { picture: { ...picture, dims: [0] } } }, /inputs\.picture\.dims must be an array of/)
  refused(
    { inputs: { picture: { ...picture, type: 'float16' } } },
    /inputs\.picture\.type must be one of float32/,
  )
  refused({ inputs: { picture: { dims: [1] } } }, /inputs\.picture\.read must be a function, got undefined/)
  refused({ outputs: { score: ['N', 1] } }, /outputs\.score must be an array of integers from 1 on, got/)
  refused({ outputs: {} }, /outputs must be/)
  refused({ batch: { max: 0 } }, /batch\.max must be an integer from 1 to 4,096, got 0/)
  refused(
    { batch: { max: 2, withinMs: Number.POSITIVE_INFINITY } },
    /batch\.withinMs must be .* to 60,000, got Inf/,
  )
  refused({ threads: 0 }, /threads must be/)
  assert.throws(() => inference({ ...options, inputs: { picture: { ...picture, shape: [1] } } } as never), {
    code: 'MILLRACE_UNKNOWN_OPTION',
    message: /inference: unknown option "inputs\.picture\.shape"; known are dims, type, read/,
  })
})
