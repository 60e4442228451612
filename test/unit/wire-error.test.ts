// An error as plain data: whatever was thrown, it can be told of and crosses any thread border.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { errorFromWire, errorToWire, MillraceError } from '../../src/errors.ts'

const refuse = (): never => {
  throw new Error('not to be read')
}
const getting = (key: string, error: object = new Error('text')) =>
  Object.defineProperty(error, key, { enumerable: true, get: refuse })
const refusing = new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse, has: refuse })

const ODD: Record<string, { thrown: unknown; message: string | RegExp }> = {
  'a name that is a symbol': {
    thrown: Object.assign(new Error('text'), { name: Symbol('odd') }),
    message: 'text',
  },
  'a name without a prototype': {
    thrown: Object.assign(new Error('text'), { name: Object.create(null) }),
    message: 'text',
  },
  'a name that cannot be read': { thrown: getting('name'), message: 'text' },
  'a message that cannot be read': { thrown: getting('message'), message: 'a value that cannot be read' },
  'a message that is no text': { thrown: Object.assign(new Error(), { message: 1n }), message: '1' },
  'a stack that cannot be read': { thrown: getting('stack'), message: 'text' },
  'a cause that cannot be read': { thrown: getting('cause'), message: 'text' },
  'a field that cannot be read': { thrown: getting('field'), message: 'text' },
  'a field with a part that cannot be read': {
    thrown: Object.assign(new Error('text'), { field: getting('part', {}) }),
    message: 'text',
  },
  'a field that is a proxy': {
    thrown: Object.assign(new Error('text'), { field: new Proxy({ a: [1] }, {}), list: new Proxy([1], {}) }),
    message: 'text',
  },
  'a field and a cause that refuse everything': {
    thrown: Object.assign(new Error('text', { cause: refusing }), { field: refusing }),
    message: 'text',
  },
  'a cause that cannot be shown': {
    thrown: new Error('text', { cause: { [inspect.custom]: refuse, f: refuse } }),
    message: 'text',
  },
  'errors that are undefined': {
    thrown: Object.assign(new AggregateError([], 'text'), { errors: undefined }),
    message: 'text',
  },
  'errors that cannot be read': {
    thrown: getting('errors', new AggregateError([], 'text')),
    message: 'text',
  },
  'errors that are odd themselves': {
    thrown: new AggregateError([refusing, getting('message'), undefined], 'text'),
    message: 'text',
  },
  'a constructor that cannot be read': {
    thrown: Object.setPrototypeOf(
      new Error('text'),
      Object.defineProperty(Object.create(Error.prototype), 'constructor', { get: refuse }),
    ),
    message: 'text',
  },
  'a value that cannot be shown': { thrown: { [inspect.custom]: refuse }, message: /no Error was thrown/ },
  'a value that refuses everything': { thrown: refusing, message: /no Error was thrown/ },
  'an error behind a proxy that refuses': {
    thrown: new Proxy(new Error('text'), { get: refuse, getPrototypeOf: refuse }),
    message: /no Error was thrown/,
  },
  'a symbol': { thrown: Symbol('x'), message: 'a value that is no Error was thrown: Symbol(x)' },
}

for (const [what, { thrown, message }] of Object.entries(ODD)) {
  test(`an error can be told of, and crosses a border, with ${what}`, () => {
    const wire = structuredClone(errorToWire(thrown))
    if (typeof message === 'string') assert.equal(wire.message, message)
    else assert.match(wire.message, message)
    const revived = errorFromWire(wire)
    assert.ok(revived instanceof Error)
    assert.equal(revived.message, wire.message)
  })
}

test('what can be read of an odd error is told', () => {
  const error = Object.assign(getting('field', new TypeError('text')), {
    code: 'E_ODD',
    list: [1, undefined, { a: 1 }],
  })
  assert.deepEqual(errorToWire(error).fields, {
    code: 'E_ODD',
    list: [1, undefined, { a: 1 }],
  })
  assert.equal(errorToWire(error).type, 'TypeError')
})

test('an error that leads back to itself is told of once', () => {
  const error = new AggregateError([], 'text')
  error.errors.push(error, error, new Error('part', { cause: error }))
  error.cause = error
  const wire = errorToWire(error)
  assert.equal(wire.cause, undefined)
  assert.deepEqual(
    wire.errors?.map(({ message, cause }) => [message, cause]),
    [['part', undefined]],
  )
})

test('a long chain of causes is cut off', () => {
  let error = new Error('last')
  for (let depth = 0; depth < 10_000; depth++) error = new Error('text', { cause: error })
  let told = 0
  for (let wire: unknown = errorToWire(error); wire !== undefined; told++)
    wire = (wire as { cause?: unknown }).cause
  assert.equal(told, 17)
})

test('an error comes back with its class, name, code, cause and fields', () => {
  const cause = new RangeError('why')
  const error = Object.assign(new TypeError('text', { cause }), { code: 'E_X', at: { line: 3 } })
  const revived = errorFromWire(structuredClone(errorToWire(error))) as typeof error
  assert.ok(revived instanceof TypeError)
  assert.ok(revived.cause instanceof RangeError)
  assert.deepEqual([revived.message, revived.code, revived.at], ['text', 'E_X', { line: 3 }])
  assert.equal(revived.stack, error.stack)
  const ours = errorFromWire(errorToWire(new MillraceError('MILLRACE_STATE', 'text', { stage: 's' })))
  assert.ok(ours instanceof MillraceError)
  assert.deepEqual([ours.code, ours.stage], ['MILLRACE_STATE', 's'])
})
