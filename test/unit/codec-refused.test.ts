import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs/promises'
import net from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import { MillraceError } from '../../src/errors.ts'
import { decode } from '../../src/queue/codec/decode.ts'
import { encode, encodeToScratch } from '../../src/queue/codec/encode.ts'

function refused(value: unknown, what: string): void {
  const target = Buffer.alloc(4000)
  const expected = { code: 'MILLRACE_NOT_CLONEABLE', message: `an item cannot travel: ${what}` }
  assert.throws(() => encode(value, target, 0, 4000), expected)
  assert.throws(() => encodeToScratch(value), expected)
}

function sent<T>(value: T): T {
  const record = encodeToScratch(value)
  return decode(record, 0, record.length) as T
}

const nothing = (): void => {}

test('the message says what cannot travel, and where it is', () => {
  refused(nothing, 'function')
  refused(Symbol('s'), 'symbol')
  refused({ user: { callback: nothing } }, 'function at .user.callback')
  refused([1, 2, 3, Symbol.iterator], 'symbol at [3]')
  refused({ cache: new WeakMap() }, 'a WeakMap at .cache')
  refused({ 'a b': [{ '': nothing }] }, `function at ['a b'][0]['']`)
  refused(new Map([['key', nothing]]), `function at .get('key')`)
  refused({ m: new Map([[{}, nothing]]) }, 'function at .m.get(0)')
  refused(new Map([[nothing, 1]]), 'function at .keys()[0]')
  refused([new Set([1, nothing])], 'function at [0].values()[1]')
  refused(Object.assign([1], { extra: nothing }), 'function at .extra')
  refused([1, 2, { ok: { fine: 1 }, bad: nothing }], 'function at [2].bad')
  let deep: unknown = nothing
  for (let i = 0; i < 50; i++) deep = { deep }
  refused(deep, `function at${` ${'.deep'.repeat(6)}...${'.deep'.repeat(6)}`}`)
  refused({ '\u001b[31m\u202e': nothing }, `function at ['\\x1B[31m ']`)
})

test('objects that are more than their properties are refused by name', async () => {
  const file = await fs.open(fileURLToPath(import.meta.url))
  const { port1, port2 } = new MessageChannel()
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Module: new (code: Uint8Array) => object }
  }
  const wasm = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  const cases: [unknown, string][] = [
    [new SharedArrayBuffer(8), 'a SharedArrayBuffer'],
    [wasm, 'a Module'],
    [port1, 'a MessagePort'],
    [new Blob(['x']), 'a Blob'],
    [crypto.createSecretKey(Buffer.from('x')), 'a SecretKeyObject'],
    [Promise.resolve(), 'a Promise'],
    [new (class Later extends Promise<void> {})(nothing), 'a Later'],
    [new WeakMap(), 'a WeakMap'],
    [new WeakSet(), 'a WeakSet'],
    [new WeakRef({}), 'a WeakRef'],
    [new FinalizationRegistry(nothing), 'a FinalizationRegistry'],
    [new Proxy({}, {}), 'a Proxy'],
    [new Proxy([], {}), 'a Proxy'],
    [new Proxy(new Map(), {}), 'a Proxy'],
    [(function* () {})(), 'a Generator'],
    [(async function* () {})(), 'an AsyncGenerator'],
    [[].values(), 'an Array Iterator'],
    [new Map().keys(), 'a Map Iterator'],
    [new Intl.NumberFormat(), 'a NumberFormat'],
    [new vm.Script('1'), 'a Script'],
    [new URL('http://localhost'), 'a URL'],
    [new (class Link extends URL {})('http://localhost'), 'a Link'],
    [new Headers(), 'a Headers'],
    [new Response('x'), 'a Response'],
    [new EventTarget(), 'an EventTarget'],
    [new AbortController(), 'an AbortController'],
    [new AbortController().signal, 'an AbortSignal'],
    [new ReadableStream(), 'a ReadableStream'],
    [new net.BlockList(), 'a BlockList'],
    [Object(Symbol('s')), 'a Symbol object'],
    [await import('../../src/sentinel.ts'), 'a Module'],
  ]
  for (const [value, what] of cases) {
    refused(value, what)
    refused({ at: value }, `${what} at .at`)
  }
  refused(file, 'a FileHandle')
  await file.close()
  port1.close()
  port2.close()
})

test('detached memory is refused', () => {
  const buffer = new ArrayBuffer(8)
  const views = [new Uint8Array(buffer), new DataView(buffer), Buffer.from(buffer)]
  structuredClone(buffer, { transfer: [buffer] })
  for (const value of [buffer, ...views]) refused([value], 'a detached ArrayBuffer at [0]')
})

test('objects of other realms are what they are there', () => {
  const made = vm.runInNewContext(
    '({ a: [1, new Map([[1, new Date(5)]])], e: new RangeError("far"), n: Object.create({}) })',
  )
  const arrived = sent(made)
  assert.deepStrictEqual(arrived.a, [1, new Map([[1, new Date(5)]])])
  assert.ok(arrived.e instanceof RangeError)
  assert.deepStrictEqual(arrived.n, {})
})

test('errors keep class, name, message, stack, cause, code and own fields', () => {
  class QuotaError extends TypeError {
    override name = 'QuotaError'
    code = 'E_QUOTA'
    details = { used: 3n, of: [1, 2] }
    retry = (): void => {}
  }
  const original = new QuotaError('too much', { cause: new RangeError('inner', { cause: { plain: 1 } }) })
  const [map] = sent([new Map([['e', original]])])
  const error = map.get('e') as QuotaError & { cause: Error }
  assert.ok(error instanceof TypeError)
  assert.equal(error.name, 'QuotaError')
  assert.equal(error.message, 'too much')
  assert.equal(error.stack, original.stack)
  assert.equal(error.code, 'E_QUOTA')
  assert.deepStrictEqual(error.details, original.details)
  assert.equal('retry' in error, false)
  assert.ok(error.cause instanceof RangeError)
  assert.deepStrictEqual(error.cause.cause, { plain: 1 })
  assert.ok(!Object.keys(error).includes('cause') && !Object.keys(error).includes('stack'))
  for (const Class of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    const arrived = sent(new Class('m'))
    assert.equal(Object.getPrototypeOf(arrived), Class.prototype)
    assert.ok(!Object.hasOwn(sent(new Class()), 'message'))
  }
})

test('errors that lead back to themselves, and those of which something cannot travel', () => {
  const loop = new Error('loop') as Error & { self: unknown }
  loop.cause = loop
  loop.self = { loop }
  const arrived = sent(loop)
  assert.equal(arrived.cause, arrived)
  assert.deepEqual(Object.keys(arrived.self as object), ['loop'])
  const shared = { s: 1 }
  const partial = Object.assign(new Error('partial', { cause: nothing }), {
    a: { shared, bad: nothing },
    b: shared,
    c: shared,
  })
  const back = sent([partial, shared]) as [typeof partial, object]
  assert.match(String(back[0].cause), /Function/)
  assert.equal('a' in back[0], false)
  assert.equal(back[0].b, back[1])
  assert.equal(back[0].c, back[1])
  const many = new AggregateError([new TypeError('one'), nothing, 'two'], 'many')
  const group = sent(many)
  assert.ok(group instanceof AggregateError && group.errors[0] instanceof TypeError)
  assert.match(group.errors[1], /Function/)
  assert.equal(group.errors[2], 'two')
  const hostile = Object.defineProperty(new Error('h'), 'bad', {
    get: () => {
      throw loop
    },
    enumerable: true,
  })
  assert.equal(sent(hostile).message, 'h')
})

test('a long chain of causes is cut, with text for the rest', () => {
  let error = new Error('0')
  for (let i = 1; i < 3000; i++) error = new Error(String(i), { cause: error })
  let depth = 0
  let at: unknown = sent({ error }).error
  for (; at instanceof Error; at = at.cause) depth++
  assert.equal(depth, 100)
  assert.equal(typeof at, 'string')
})

test('errors of the platform and of Millrace come back as such', () => {
  const aborted = sent(AbortSignal.abort().reason as DOMException)
  assert.ok(aborted instanceof DOMException)
  assert.equal(aborted.name, 'AbortError')
  assert.equal(aborted.code, 20)
  const own = sent(
    new MillraceError('MILLRACE_STATE', 'twice', { stage: 's', item: 3, cause: new Error('c') }),
  )
  assert.ok(own instanceof MillraceError && own.cause instanceof Error)
  assert.deepEqual([own.code, own.stage, own.item, own.message], ['MILLRACE_STATE', 's', 3, 'twice'])
  class Coded extends Error {
    get code(): string {
      return 'BY_CLASS'
    }
  }
  assert.equal(sent(new Coded('x')).code, 'BY_CLASS')
})

test('1,000 levels of any container fit an ordinary stack', () => {
  const wraps: ((inner: unknown) => unknown)[] = [
    (inner) => [inner],
    (inner) => ({ inner }),
    (inner) => new Map([[1, inner]]),
    (inner) => new Set([inner]),
  ]
  for (const wrap of wraps) {
    let value: unknown = 1
    for (let i = 0; i < 1000; i++) value = wrap(value)
    sent(value)
    assert.throws(() => sent(wrap(value)), {
      code: 'MILLRACE_NOT_CLONEABLE',
      message: /nested more than 1000 levels/,
    })
  }
})
