// Objects of shapes that were learned arrive as those that are written in full: as structuredClone gives them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import fc from 'fast-check'
import { decode } from '../../src/queue/codec/decode.ts'
import { encode, encodeToScratch } from '../../src/queue/codec/encode.ts'
import { ShapeReader } from '../../src/queue/codec/shape-reader.ts'
import { MOST_SHAPES, ShapeTable, TABLE_BYTES } from '../../src/queue/codec/shape-table.ts'
import { ShapeWriter } from '../../src/queue/codec/shape-writer.ts'
import { QueueMemory } from '../../src/queue/queue-memory.ts'
import { seedOfRun } from '../support/random.ts'

const ROOM = 256 * 1024
const OFTEN = 20

/** A producer's table with its two sides. */
class Pair {
  readonly memory = new SharedArrayBuffer(TABLE_BYTES)
  readonly target = Buffer.from(new SharedArrayBuffer(ROOM))
  writer = new ShapeWriter(this.memory, 0)
  reader = new ShapeReader(this.memory, 0)

  /** Bytes of the record that was written last. */
  length = 0

  send(value: unknown): unknown {
    this.length = encode(value, this.target, 0, ROOM, undefined, this.writer)
    assert.ok(this.length > 0)
    return decode(this.target, 0, this.length, undefined, this.reader)
  }

  teach(make: () => object): void {
    for (let time = 0; time < OFTEN; time++) this.send(make())
  }

  get shapes(): string[][] {
    return new ShapeTable(this.memory, 0).news()
  }
}

/** The same value in every respect that can be seen, identities within it included. */
function assertSame(one: unknown, other: unknown, pairs = new Map<unknown, unknown>()): void {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) {
    assert.ok(Object.is(one, other), `${String(one)} is not ${String(other)}`)
    return
  }
  if (pairs.has(one)) {
    assert.equal(pairs.get(one), other, 'another object')
    return
  }
  assert.ok(![...pairs.values()].includes(other), 'one object in place of two')
  pairs.set(one, other)
  assert.equal(Object.getPrototypeOf(one), Object.getPrototypeOf(other))
  if (one instanceof Date) assert.ok(Object.is(one.getTime(), (other as Date).getTime()))
  if (one instanceof Map || one instanceof Set)
    assertSame([...(one as Iterable<unknown>)], [...(other as Iterable<unknown>)], pairs)
  const keys = Reflect.ownKeys(one)
  assert.deepEqual(Reflect.ownKeys(other), keys)
  for (const key of keys) {
    const { value: mine, ...its } = Object.getOwnPropertyDescriptor(one, key) ?? {}
    const { value: theirs, ...others } = Object.getOwnPropertyDescriptor(other, key) ?? {}
    assert.deepEqual(its, others)
    assertSame(mine, theirs, pairs)
  }
}

/** How to make a value: anew each time, as making a record of it may run its getters. */
type Recipe =
  | { kind: 'primitive'; value: unknown }
  | { kind: 'again'; which: number }
  | { kind: 'date'; time: number }
  | { kind: 'map' | 'set'; values: Recipe[] }
  | { kind: 'array'; values: Recipe[]; holes: number[]; extra: boolean }
  | { kind: 'object'; proto: 'plain' | 'null' | 'class'; keys: string[]; values: Recipe[]; twist: Twist }

type Twist =
  | 'none'
  | 'symbol'
  | { hidden: number }
  | { getter: number; does: 'nothing' | 'delete' | 'add' | 'set' | 'renew'; to: number }

class Own {}

function build(recipe: Recipe, made: object[] = []): unknown {
  switch (recipe.kind) {
    case 'primitive':
      return recipe.value
    case 'again':
      return made.length === 0 ? null : made[recipe.which % made.length]
    case 'date':
      return keep(new Date(recipe.time), made)
    case 'map': {
      const map = keep(new Map(), made)
      for (const [at, value] of recipe.values.entries()) map.set(at % 2 === 0 ? at : build(value, made), at)
      return map
    }
    case 'set': {
      const set = keep(new Set(), made)
      for (const value of recipe.values) set.add(build(value, made))
      return set
    }
    case 'array': {
      const array = keep([] as unknown[], made)
      for (const [at, value] of recipe.values.entries())
        if (!recipe.holes.includes(at)) array[at] = build(value, made)
      array.length = recipe.values.length
      return recipe.extra ? Object.assign(array, { a: 1 }) : array
    }
    case 'object':
      return buildObject(recipe, made)
  }
}

function keep<T extends object>(object: T, made: object[]): T {
  made.push(object)
  return object
}

function buildObject(recipe: Recipe & { kind: 'object' }, made: object[]): object {
  const { keys, values, twist, proto } = recipe
  const object: Record<string, unknown> =
    proto === 'null' ? Object.create(null) : proto === 'class' ? new Own() : {}
  keep(object, made)
  for (const [at, key] of keys.entries()) {
    Object.defineProperty(object, key, {
      value: build(values[at % values.length], made),
      enumerable: !(typeof twist === 'object' && 'hidden' in twist && twist.hidden % keys.length === at),
      writable: true,
      configurable: true,
    })
  }
  if (twist === 'symbol') (object as Record<symbol, unknown>)[Symbol('s')] = 1
  if (typeof twist === 'object' && 'getter' in twist) {
    const other = keys[twist.to % keys.length]
    Object.defineProperty(object, keys[twist.getter % keys.length], {
      get: () => {
        if (twist.does === 'delete') delete object[other]
        if (twist.does === 'add') object.added = 1
        if (twist.does === 'set' && !('get' in (Object.getOwnPropertyDescriptor(object, other) ?? {})))
          object[other] = 'set'
        if (twist.does === 'renew' && Object.hasOwn(object, other)) {
          delete object[other]
          object[other] = 'anew'
        }
        return 'got'
      },
      enumerable: true,
      configurable: true,
    })
  }
  return object
}

const KEYS = ['id', 'text', 'score', 'tags']
const ODD_KEYS = ['__proto__', '0', '17', 'constructor', 'ä', '☃', '', 'a"b\\', "'", '-1', '\n', 'toString']

const keysOf = fc.oneof(
  { weight: 8, arbitrary: fc.subarray(KEYS, { minLength: 1 }) },
  { weight: 1, arbitrary: fc.shuffledSubarray([...KEYS, ...ODD_KEYS], { minLength: 1, maxLength: 6 }) },
)
const primitive = fc.oneof(
  fc.constantFrom(
    ...[-0, 0, Number.NaN, 1 / 3, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 64, -1, Number.POSITIVE_INFINITY],
    ...[undefined, null, true, false, '', 'oak', '\ud800', 'ä', '☃'.repeat(30), 'x'.repeat(100)],
    ...[0n, -(2n ** 70n), 2n ** 63n],
  ),
  fc.double(),
  fc.integer(),
  fc.string(),
)
const twists: fc.Arbitrary<Twist> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Twist>('none') },
  { weight: 1, arbitrary: fc.constant<Twist>('symbol') },
  { weight: 1, arbitrary: fc.record({ hidden: fc.nat(7) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      getter: fc.nat(7),
      does: fc.constantFrom('nothing', 'delete', 'add', 'set', 'renew' as const),
      to: fc.nat(7),
    }) as fc.Arbitrary<Twist>,
  },
)
const { recipe } = fc.letrec<{ recipe: Recipe; object: Recipe }>((tie) => ({
  object: fc.record({
    kind: fc.constant('object' as const),
    proto: fc.oneof(
      { weight: 9, arbitrary: fc.constant('plain' as const) },
      { weight: 1, arbitrary: fc.constantFrom('null' as const, 'class' as const) },
    ),
    keys: keysOf,
    values: fc.array(tie('recipe'), { minLength: 1, maxLength: 6 }),
    twist: twists,
  }),
  recipe: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: primitive.map((value) => ({ kind: 'primitive' as const, value })) },
    { weight: 3, arbitrary: tie('object') },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat(9) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('array' as const),
        values: fc.array(tie('recipe'), { maxLength: 4 }),
        holes: fc.array(fc.nat(3), { maxLength: 1 }),
        extra: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('map' as const, 'set' as const),
        values: fc.array(tie('recipe'), { maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('date' as const), time: fc.constantFrom(0, -1, Number.NaN) }),
    },
  ),
}))

test('whatever an object holds, is, or does while it is read, it arrives as structuredClone gives it', () => {
  const pair = new Pair()
  // All subsets of the keys are shapes from the beginning; others are learned on the way.
  for (let set = 1; set < 16; set++) {
    const keys = KEYS.filter((_, at) => (set >> at) & 1)
    pair.teach(() => Object.fromEntries(keys.map((key) => [key, 1])))
  }
  assert.equal(pair.shapes.length, 15)
  fc.assert(
    fc.property(recipe, (given) => {
      assertSame(pair.send(build(given)), structuredClone(build(given)))
    }),
    { seed: seedOfRun(), numRuns: 1500 },
  )
})

test('a getter runs once, also where one takes a key of the shape away', (t) => {
  // As with `node --disallow-code-generation-from-strings`.
  const forbidden = () => {
    throw new EvalError('Code generation from strings disallowed for this context')
  }
  const pair = new Pair()
  pair.teach(() => ({ id: 1, text: 'a', score: 2 }))
  for (const canCompile of [true, false]) {
    let runs = 0
    const value: { id: unknown; text?: string; score: number } = { id: 1, text: 'a', score: 2 }
    Object.defineProperty(value, 'id', {
      get: () => {
        delete value.text
        return { id: ++runs, text: undefined, score: 3 }
      },
      enumerable: true,
    })
    if (!canCompile) t.mock.method(globalThis, 'Function', forbidden)
    pair.reader = new ShapeReader(pair.memory, 0)
    assert.deepEqual(pair.send(value), { id: { id: 1, text: undefined, score: 3 }, score: 2 })
    t.mock.restoreAll()
    assert.equal(runs, 1)
    assert.ok(pair.length < 20, 'as a shape')
  }
})

test('a shape that came often is written without its keys, and what comes between does not matter', () => {
  const pair = new Pair()
  const make = (id: number): object => ({ id, text: `record ${id}`, at: { x: id / 3, y: -0 } })
  for (let id = 0; id < 3 * OFTEN; id++) {
    assertSame(pair.send(make(id)), make(id))
    pair.send({ other: id })
  }
  assert.deepEqual(pair.shapes.map(String).sort(), ['id,text,at', 'other', 'x,y'])
  pair.send(make(5))
  assert.ok(pair.length < encodeToScratch(make(5)).length - 12)
})

test('objects are of one hidden class before and after their shape is learned: what was compiled for one is for all', () => {
  setFlagsFromString('--allow-natives-syntax')
  const haveSameMap = new Function('one', 'other', 'return %HaveSameMap(one, other)')
  const pair = new Pair()
  const make = () => ({ seed: 1_000_000, turns: 50_000 })
  const first = pair.send(make())
  pair.teach(make)
  assert.equal(pair.shapes.length, 1)
  assert.equal(haveSameMap(first, pair.send(make())), true)
})

test('a key more or less, another order, or an undefined in place of nothing is another shape', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1, b: 2, c: 3 }))
  const others = [
    { a: 1, b: 2 },
    { a: 1, b: 2, c: 3, d: 4 },
    { c: 3, b: 2, a: 1 },
    { a: 1, b: undefined, c: 3 },
    { a: undefined, b: undefined, c: undefined },
    {},
    { b: 1, c: 2 },
  ]
  for (const other of others) assertSame(pair.send(other), other)
})

test('a getter that takes away what is due later leaves it out, also one of what the object holds', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1, b: 2, c: 3 }))
  const make = (takesAll: boolean): object => {
    const object: Record<string, unknown> = { a: {}, b: 2, c: 3 }
    const get = (): string => {
      delete object.b
      if (takesAll) delete object.c
      return 'gone'
    }
    Object.defineProperty(object.a, 'x', { get, enumerable: true })
    return object
  }
  for (const takesAll of [false, true]) assertSame(pair.send(make(takesAll)), structuredClone(make(takesAll)))
})

test('an object that leads back to itself, and one that is there twice, are still one', () => {
  const pair = new Pair()
  const make = () => {
    const shared = { x: 1, y: [1, 2] }
    const object: Record<string, unknown> = { self: null, one: shared, two: shared, list: [shared] }
    object.self = object
    return object
  }
  pair.teach(make)
  assertSame(pair.send(make()), structuredClone(make()))
  assert.ok(pair.shapes.length >= 2)
})

test('what is added to Object.prototype, on either side, is not taken for a key', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1, polluted: 2 }))
  let wasSet = false
  const prototype = Object.prototype as unknown as Record<string, unknown>
  try {
    prototype.polluted = 'everywhere'
    const got = pair.send({ a: 1 }) as object
    assert.deepEqual(Object.keys(got), ['a'])
    delete prototype.polluted
    pair.send({ a: 1, polluted: 3 })
    Object.defineProperty(prototype, 'a', {
      set: () => {
        wasSet = true
      },
      configurable: true,
    })
    const again = decode(pair.target, 0, pair.length, undefined, new ShapeReader(pair.memory, 0)) as object
    assert.deepEqual(Object.entries(again), [
      ['a', 1],
      ['polluted', 3],
    ])
    assert.equal(wasSet, false)
  } finally {
    delete prototype.polluted
    delete prototype.a
  }
})

test('a proxy, a function or a symbol in an object of a known shape is refused with its place', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1, b: { c: 1 } }))
  const wrong: [object, RegExp][] = [
    [new Proxy({ a: 1, b: { c: 1 } }, {}), /a Proxy/],
    [{ a: 1, b: { c: () => 1 } }, /function.*\.b\.c/],
    [{ a: Symbol('s'), b: { c: 1 } }, /symbol.*\.a/],
  ]
  for (const [value, message] of wrong) {
    assert.throws(() => pair.send(value), { code: 'MILLRACE_NOT_CLONEABLE', message })
  }
  assertSame(pair.send({ a: 1, b: { c: 1 } }), { a: 1, b: { c: 1 } })
})

test('the next life of a reader knows the shapes, and the next life of a producer goes on with them', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1 }))
  pair.reader = new ShapeReader(pair.memory, 0)
  assertSame(pair.send({ a: 2 }), { a: 2 })
  const { length } = pair
  pair.writer = new ShapeWriter(pair.memory, 0)
  assertSame(pair.send({ a: 3 }), { a: 3 })
  assert.equal(pair.length, length)
  pair.teach(() => ({ b: 1 }))
  assert.deepEqual(pair.shapes, [['a'], ['b']])
  assertSame(pair.send([{ b: 1 }, { a: 1 }]), [{ b: 1 }, { a: 1 }])
})

test('a shape that a producer had half noted when it died does not exist', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1 }))
  // Behind the end, as bytes that were written and not published.
  new Uint8Array(pair.memory).fill(7, 4 + 3, 200)
  pair.reader = new ShapeReader(pair.memory, 0)
  pair.writer = new ShapeWriter(pair.memory, 0)
  assert.deepEqual(pair.shapes, [['a']])
  pair.teach(() => ({ b: 1, a: 1 }))
  assertSame(pair.send({ b: 1, a: 1 }), { b: 1, a: 1 })
  assert.deepEqual(pair.shapes, [['a'], ['b', 'a']])
})

test('another writer of the same producer takes over what was learned since', () => {
  const pair = new Pair()
  const other = new ShapeWriter(pair.memory, 0)
  const send = (value: object): void => {
    const end = encode(value, pair.target, 0, ROOM, undefined, other)
    assertSame(decode(pair.target, 0, end, undefined, pair.reader), value)
  }
  send({ z: 1 })
  pair.teach(() => ({ a: 1 }))
  for (let time = 0; time < OFTEN; time++) send({ b: time })
  for (let time = 0; time < OFTEN; time++) send({ a: time })
  assert.deepEqual(pair.shapes, [['a'], ['b']])
})

test('shapes end where there is no room for more, and objects that all differ are not learned', () => {
  const pair = new Pair()
  for (let shape = 0; shape < MOST_SHAPES + 10; shape++) {
    pair.teach(() => ({ [`key${shape}`]: shape, more: 1 }))
    assertSame(pair.send({ [`key${shape}`]: 0, more: 1 }), { [`key${shape}`]: 0, more: 1 })
  }
  assert.equal(pair.shapes.length, MOST_SHAPES)
  const wide = new Pair()
  for (let shape = 0; shape < 20; shape++) {
    const keys = Array.from({ length: 60 }, (_, at) => `${shape} ${at} ${'x'.repeat(50)}`)
    wide.teach(() => Object.fromEntries(keys.map((key) => [key, 1])))
  }
  assert.ok(wide.shapes.length > 0 && wide.shapes.length < 4)
  const dictionaries = new Pair()
  for (let count = 0; count < 20_000; count++) dictionaries.send({ [`a${count}`]: 1, [`b${count}`]: 2 })
  dictionaries.teach(() => ({ a: 1 }))
  assert.deepEqual(dictionaries.shapes, [])
  assertSame(dictionaries.send({ a: 1 }), { a: 1 })
})

test('a shape that is not in the table, or a table that is none, is a corrupt record', () => {
  const pair = new Pair()
  pair.teach(() => ({ a: 1 }))
  const none = new ShapeReader(new SharedArrayBuffer(TABLE_BYTES), 0)
  for (const reader of [none, undefined]) {
    assert.throws(() => decode(pair.target, 0, pair.length, undefined, reader), {
      code: 'MILLRACE_CORRUPT_RECORD',
    })
  }
  new Int32Array(pair.memory)[0] = TABLE_BYTES + 1
  assert.throws(() => pair.shapes, { code: 'MILLRACE_CORRUPT_RECORD' })
  new Int32Array(pair.memory)[0] = 6
  assert.throws(() => pair.shapes, { code: 'MILLRACE_CORRUPT_RECORD' })
})

test('lanes of one producer share its shapes; those of another one have their own; both ends may begin anew', () => {
  const memory = QueueMemory.allocate(
    { name: 'q', capacity: 100, capacityBytes: 2 ** 16, producers: 2, consumers: 2 },
    undefined,
  )
  const origin = { item: 1, source: 0, order: 0, madeBy: 0, part: 0 }
  const put = (queue: QueueMemory, producer: number, consumer: number, value: object): void => {
    assert.ok(queue.laneWriter(producer, consumer).tryPut(value, origin))
    const lane = QueueMemory.from(queue.handle).laneReader(producer, consumer)
    assert.ok(!lane.isEmpty())
    assertSame(lane.read(), value)
    lane.commit()
  }
  for (let id = 0; id < 2 * OFTEN; id++) {
    put(memory, 0, id % 2, { a: id, b: 'x' })
    put(memory, 1, id % 2, { b: 'x', a: id })
  }
  put(QueueMemory.from(memory.handle), 0, 1, { a: 1, b: 'y' })
  const { byteLength } = memory.memory
  const table = (at: number) => new ShapeTable(memory.memory, byteLength - at * TABLE_BYTES).news()
  assert.deepEqual([table(2), table(1)], [[['a', 'b']], [['b', 'a']]])
})
