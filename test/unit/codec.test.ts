import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decode } from '../../src/queue/codec/decode.ts'
import { encode, encodeToScratch } from '../../src/queue/codec/encode.ts'

const SIZE = 64 * 1024
const memory = Buffer.from(new SharedArrayBuffer(SIZE))

/** There and back through shared memory, at an odd place. */
function sent<T>(value: T): T {
  const end = encode(value, memory, 3, SIZE)
  assert.notEqual(end, -1, 'does not fit')
  return decode(memory, 3, end) as T
}

function sameAsClone(value: unknown): void {
  assert.deepStrictEqual(sent(value), structuredClone(value))
}

/** Also makes values for the fuzz tests; no invalid dates, which Node 20 finds unequal to themselves. */
const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withUnicodeString: true,
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 100 }),
    fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
    fc.date({ noInvalidDate: true }),
    // Those that are written as a run, and those that nearly are.
    fc.array(fc.string({ minLength: 12, maxLength: 40 }), { minLength: 6, maxLength: 70, size: 'max' }),
    fc.array(fc.oneof(fc.string({ maxLength: 300, size: 'max' }), fc.string({ unit: 'binary' }), fc.nat()), {
      minLength: 6,
      maxLength: 20,
    }),
    fc.constantFrom(null, undefined, Number.NaN, -0, /a+/gi, '__proto__'),
  ],
})

test('any value arrives as structuredClone would carry it', () => {
  fc.assert(
    fc.property(anything, (value) => {
      assert.deepStrictEqual(sent(value), structuredClone(value))
      const record = encodeToScratch(value)
      assert.deepStrictEqual(decode(record, 0, record.length), structuredClone(value))
    }),
    { numRuns: 6000 },
  )
})

test('primitives', () => {
  const ints = [0, -0, 1, -1, 63, 64, 65, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1]
  const doubles = [0.1, Number.NaN, 1 / 0, -1 / 0, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 53]
  for (const value of [undefined, null, true, false, ...ints, ...doubles])
    assert.ok(Object.is(sent(value), value))
  const edge = 2n ** 63n
  for (const value of [0n, -1n, edge - 1n, edge, -edge, -edge - 1n, 3n ** 5000n, -(7n ** 999n)]) {
    assert.equal(sent(value), value)
  }
})

test('strings of every length and kind', () => {
  const lone = ['\ud800', '\udc00x', `${'a'.repeat(100)}\ud83d`]
  for (const text of ['', '\0', 'a\0b', '\ufeffbom', 'é', 'ÿ'.repeat(70), 'Ā', '\u{1f600}', ...lone])
    assert.equal(sent(text), text)
  for (const unit of ['x', 'é', '中', '\ud800']) {
    for (const length of [1, 12, 13, 20, 21, 48, 63, 64, 65, 127, 128, 5000, 20_000]) {
      const text = unit.repeat(length)
      assert.equal(sent(text), text)
      assert.equal(sent([text])[0], text)
      assert.equal(sent(`${text.slice(1)}中`), `${text.slice(1)}中`)
    }
  }
})

test('boxed primitives', () => {
  const values = [
    Object(1),
    Object(-0),
    Object('text'),
    Object(''),
    Object(true),
    Object(false),
    Object(2n ** 70n),
  ]
  sameAsClone(values)
  const shared = Object('one')
  const [a, b] = sent([shared, shared])
  assert.equal(a, b)
})

test('dates and regular expressions', () => {
  sameAsClone([new Date(0), new Date(-1), new Date(8.64e15), /a\/b[\]]/dgimsuy, /(?:)/, /\n/])
  assert.ok(Number.isNaN(sent(new Date(Number.NaN)).getTime()))
  const used = /a/g
  used.lastIndex = 3
  assert.equal(sent(used).lastIndex, 0)
})

test('maps and sets, of anything, in order, and without what a subclass overrides', () => {
  const map = new Map<unknown, unknown>([
    [{ a: 1 }, new Set([1, [2]])],
    [Number.NaN, -0],
    ['k', new Map()],
  ])
  sameAsClone(map)
  class Odd extends Map<number, number> {
    override get size(): number {
      return 0
    }
    override keys(): MapIterator<number> {
      throw new Error('asked for its keys')
    }
    override entries(): MapIterator<[number, number]> {
      throw new Error('asked for its entries')
    }
  }
  const odd = new Odd([[1, 2]])
  assert.deepStrictEqual(sent(odd), new Map([[1, 2]]))
  assert.deepStrictEqual(sent(Object.setPrototypeOf(new Set([1]), null)), new Set([1]))
})

test('arrays: holes, extra properties, and lengths far behind the last element', () => {
  // biome-ignore lint/suspicious/noSparseArray: that is the subject
  sameAsClone([, 1, , undefined, ,])
  sameAsClone(Object.assign([1, 2], { extra: [3], '-0': 0, '1.5': 1, '01': 2 }))
  // biome-ignore lint/suspicious/noSparseArray: as many holes as properties look like neither
  sameAsClone(Object.assign([1, , 3], { one: 1 }))
  sameAsClone('a-b'.match(/(?<x>a)-(b)/))
  sameAsClone([undefined, undefined])
  for (const length of [2000, 30_000_000, 2 ** 32 - 1]) {
    const sparse: unknown[] = ['first']
    sparse[length - 1] = 0
    delete sparse[length - 1]
    const before = process.memoryUsage().rss
    const arrived = sent(sparse)
    const grown = process.memoryUsage().rss - before
    assert.equal(grown < 50e6, true, `${length}: ${grown} bytes`)
    assert.equal(arrived.length, length)
    assert.deepEqual(Object.keys(arrived), ['0'])
  }
  const last = new Array(1e6)
  last[999_999] = { deep: last }
  assert.equal((sent(last)[999_999] as { deep: unknown[] }).deep.length, 1e6)
})

test('arrays of texts: of any number and length, with others among them', () => {
  const lines = (count: number, length: number): unknown[] =>
    Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, 'é'))
  for (const count of [7, 8, 9, 63, 64, 65, 200]) {
    for (const length of [0, 15, 16, 17, 254, 255, 256]) sameAsClone(lines(count, length))
  }
  const among = (at: number, ...others: unknown[]): unknown[] => lines(20, 30).toSpliced(at, 0, ...others)
  for (const at of [0, 7, 8, 19, 20]) {
    sameAsClone(among(at, '中'.repeat(20)))
    sameAsClone(among(at, 1, undefined, 'x', ''))
    sameAsClone(among(at, 'x'.repeat(5000)))
    sameAsClone(among(at, among(at, null)))
    const holed = among(at, 'x', 'y')
    delete holed[at]
    sameAsClone(holed)
    sameAsClone(Object.assign(lines(20, 30), { name: 'lines' }))
  }
})

test('an element of an array of texts is asked for once', () => {
  const array = Array.from({ length: 8 }, (_, at) => `text number ${at}, long enough`)
  let asked = 0
  Object.defineProperty(array, 5, { enumerable: true, get: () => `asked for ${++asked} times, no more` })
  assert.equal(sent(array)[5], 'asked for 1 times, no more')
  assert.equal(asked, 1)
})

test('plain objects: order, odd keys, null prototypes, instances, getters', () => {
  const keys = {
    b: 1,
    a: 2,
    7: 3,
    '': 4,
    ключ: 5,
    ['long'.repeat(50)]: 6,
    toString: 7,
    constructor: 8,
    undefined,
  }
  sameAsClone(keys)
  assert.deepEqual(Object.keys(sent(keys)), Object.keys(keys))
  const poisoned = JSON.parse('{"__proto__":{"polluted":true},"a":1}')
  const arrived = sent(poisoned)
  assert.equal(Object.getPrototypeOf(arrived), Object.prototype)
  assert.deepEqual(Object.getOwnPropertyDescriptor(arrived, '__proto__')?.value, { polluted: true })
  sameAsClone(Object.assign(Object.create(null), { a: 1 }))
  class Point {
    x = 1
    #y = 2
    get sum(): number {
      return this.x + this.#y
    }
  }
  assert.deepStrictEqual(sent(new Point()), { x: 1 })
  const odd = Object.create(
    { inherited: 1 },
    { hidden: { value: 1 }, got: { get: () => 5, enumerable: true } },
  )
  odd[Symbol('s')] = 1
  assert.deepStrictEqual(sent(odd), { got: 5 })
})

test('cycles and shared references keep their identity, whatever their number', () => {
  const node: Record<string, unknown> = { list: [] as unknown[] }
  node.self = node
  ;(node.list as unknown[]).push(node, node.list, new Map([[node, node.list]]))
  const arrived = sent(node)
  assert.equal(arrived.self, arrived)
  const list = arrived.list as unknown[]
  assert.equal(list[0], arrived)
  assert.equal(list[1], list)
  assert.equal((list[2] as Map<unknown, unknown>).get(arrived), list)
  const many = Array.from({ length: 40 }, (_, i) => ({ i }))
  const both = sent([many, [...many].reverse(), new Date(1)])
  for (let i = 0; i < 40; i++) assert.equal((both[0] as unknown[])[i], (both[1] as unknown[])[39 - i])
  const buffer = new ArrayBuffer(3)
  const [a, b] = sent([buffer, buffer])
  assert.equal(a, b)
})

test('buffers and views carry the bytes they show, and share no memory with anything', () => {
  const bytes = Uint8Array.from({ length: 1024 }, (_, i) => i)
  const whole = bytes.buffer
  sameAsClone([
    whole,
    bytes,
    new Float64Array(whole),
    new DataView(new ArrayBuffer(9)),
    new BigInt64Array(2),
    new Uint8ClampedArray(3),
  ])
  const Float16 = (globalThis as { Float16Array?: new (of: number[]) => ArrayBufferView }).Float16Array
  if (Float16 !== undefined) sameAsClone(new Float16([1, 2]))
  for (const length of [0, 1, 31, 255, 256, 1000]) {
    const view = new Uint8Array(whole, 5, length)
    const arrived = sent(view)
    assert.deepStrictEqual(arrived, view)
    assert.equal(arrived.buffer.byteLength, length)
  }
  assert.deepStrictEqual(sent(new DataView(whole, 4, 8)), new DataView(whole.slice(4, 12)))
  const shared = new Int32Array(new SharedArrayBuffer(8)).fill(7)
  const copy = sent(shared)
  assert.ok(copy.buffer instanceof ArrayBuffer)
  assert.deepStrictEqual([...copy], [7, 7])
  for (const length of [3, 3000]) {
    const end = encode(Buffer.alloc(length, 1), memory, 0, SIZE)
    const arrived = decode(memory, 0, end) as Buffer
    memory.fill(9, 0, end)
    assert.ok(Buffer.isBuffer(arrived) && arrived.every((byte) => byte === 1))
    assert.equal(arrived.buffer.byteLength, length)
  }
})

test('a getter may encode, decode, throw, and change what is being encoded', () => {
  const inner = { a: [{ b: 1 }] }
  const other = Buffer.alloc(200)
  const value = {
    before: inner,
    get scratch() {
      return decode(encodeToScratch(inner), 0, encodeToScratch(inner).length)
    },
    get nested() {
      return decode(other, 0, encode([inner, inner], other, 0, 200))
    },
    after: inner,
  }
  const arrived = sent(value)
  assert.deepStrictEqual(arrived, { before: inner, scratch: inner, nested: [inner, inner], after: inner })
  assert.equal(arrived.before, arrived.after)
  const thrown = new Error('from a getter')
  const failing = {
    a: inner,
    get bad() {
      throw thrown
    },
  }
  assert.throws(
    () => sent([failing]),
    (reason) => reason === thrown,
  )
  const list: unknown[] = [0, 1, 2]
  list[0] = {
    get cut() {
      return (list.length = 1)
    },
  }
  assert.equal(sent(list).length, 3)
  const map = new Map<unknown, unknown>()
  map.set(0, {
    get more() {
      return map.set(map.size, this).size
    },
  })
  assert.equal(sent(map).size, 1)
  sameAsClone({ a: inner })
})

test('a value of any size fits the scratch buffer', () => {
  const big = {
    text: '中'.repeat(3e6),
    bytes: new Uint8Array(5e6).fill(3),
    list: Array.from({ length: 1e5 }, (_, i) => ({ i })),
  }
  const record = encodeToScratch(big)
  assert.deepStrictEqual(decode(record, 0, record.length), big)
  assert.equal(encodeToScratch('abc').length, 4)
})
