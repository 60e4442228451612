import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decode } from '../../src/queue/codec/decode.ts'
import { encode, encodeToScratch } from '../../src/queue/codec/encode.ts'
import { ARRAY, ARRAY_KEYED, BINARY, ERROR, LATIN1, MAP, TEXTS, UTF16 } from '../../src/queue/codec/tags.ts'

const SIZE = 256 * 1024
const GUARD = 0xa5
const memory = Buffer.from(new SharedArrayBuffer(SIZE))

const values = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withUnicodeString: true,
  maxDepth: 4,
})

/** One of everything, with references. */
function specimen(): unknown {
  const error = Object.assign(new RangeError('far', { cause: { a: 1n } }), { code: 'FAR', list: [1] })
  const shared = { deep: [new Date(1), /x/g, Object('boxed')] }
  return {
    id: 7,
    text: 'a text that is neither short nor long enough',
    wide: '中\ud800',
    long: 'x'.repeat(100),
    score: 0.5,
    big: -(3n ** 200n),
    lines: Array.from({ length: 12 }, (_, at) => `line ${at}, of some length`),
    list: [1, -1, 1e9, shared, shared, null, undefined, true],
    // biome-ignore lint/suspicious/noSparseArray: holes are wanted
    holes: Object.assign([1, , 3], { extra: 'x' }),
    map: new Map<unknown, unknown>([[shared, new Set([1, 'two'])]]),
    bytes: [Buffer.from('abc'), new Float64Array(3), new DataView(new ArrayBuffer(5)), new Uint8Array(300)],
    errors: [error, new AggregateError([error], 'all')],
    ['k'.repeat(80)]: 1,
    ключ: 2,
  }
}

function copyOf(value: unknown): Buffer {
  return Buffer.from(encodeToScratch(value))
}

/** Most places at which a record is cut: all of them in a long one would be decoded for ever. */
const MOST_CUTS = 400

/** Decodes what may be anything; returns whether it was a record. One that is never done is ended by the file's deadline. */
function survives(bytes: Buffer, start: number, end: number): boolean {
  try {
    decode(bytes, start, end)
    return true
  } catch (reason) {
    const { code, stack } = reason as { code?: unknown; stack?: string }
    if (code === 'MILLRACE_CORRUPT_RECORD') return false
    assert.fail(`${stack} for ${bytes.subarray(start, end).toString('hex').slice(0, 2000)}`)
  }
}

test('a record that does not fit is refused at every limit, and nothing else is touched', () => {
  const check = (value: unknown): void => {
    const whole = copyOf(value)
    const { length } = whole
    const step = Math.max(1, Math.floor(length / 200))
    for (let room = 0; room <= length; room += room > 40 && length - room > 40 ? step : 1) {
      const start = 5 + (room % 7)
      memory.fill(GUARD, 0, start + length + 50)
      const end = encode(value, memory, start, start + room)
      assert.equal(end, room < length ? -1 : start + length)
      for (let i = 0; i < start; i++) assert.equal(memory[i], GUARD)
      for (let i = start + room; i < start + length + 50; i++) {
        if (memory[i] !== GUARD) assert.fail(`wrote ${i - start - room} bytes behind its limit`)
      }
    }
    assert.equal(encode(value, memory, 9, 9 + length), 9 + length)
    assert.equal(memory.subarray(9, 9 + length).equals(whole), true)
  }
  for (const text of ['', 'abc', 'é'.repeat(30), '中', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(200)])
    check(text)
  check(specimen())
  fc.assert(fc.property(values, check), { numRuns: 1500 })
})

test('every truncated record is corrupt', () => {
  const check = (value: unknown): void => {
    const whole = copyOf(value)
    // What follows the end is a valid rest, so that reading too far would go unnoticed but for the check.
    const step = Math.max(1, Math.floor(whole.length / MOST_CUTS))
    for (let end = 0; end < whole.length; end += step) assert.equal(survives(whole, 0, end), false)
    assert.equal(survives(whole, 0, whole.length), true)
    assert.equal(survives(Buffer.concat([whole, whole]), 0, whole.length + 1), false)
  }
  check(specimen())
  fc.assert(fc.property(values, check), { numRuns: 300 })
})

/** Deterministic, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('20,000 mutated records are values or corrupt, nothing else', () => {
  const seeds = fc.sample(values, { numRuns: 200, seed: 1 }).map(copyOf)
  const next = random(42)
  const whole = copyOf(specimen())
  let valid = 0
  for (let run = 0; run < 20_000; run++) {
    const bytes = Buffer.from(run % 2 === 0 ? whole : seeds[next(seeds.length)])
    for (let changes = 1 + next(4); changes > 0; changes--) {
      const at = next(bytes.length)
      // Tags are small: all bytes alike would seldom make one.
      if (next(3) === 0) bytes[at] = next(26)
      else if (next(2) === 0) bytes[at] = next(256)
      else bytes[at] ^= 1 << next(8)
    }
    if (survives(bytes, 0, bytes.length)) valid++
  }
  assert.equal(valid > 300, true, `only ${valid} were valid`)
})

test('8,000 records of mere noise are values or corrupt', () => {
  const next = random(7)
  for (let run = 0; run < 8_000; run++) {
    const bytes = Buffer.alloc(1 + next(200))
    for (let i = 0; i < bytes.length; i++) bytes[i] = next(3) === 0 ? next(256) : next(26)
    survives(bytes, 0, bytes.length)
  }
})

test('no length is believed before the bytes are there, and no nesting exhausts the stack', () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
  for (const tag of [LATIN1, UTF16, ARRAY, ARRAY_KEYED]) {
    assert.equal(survives(Buffer.from([tag, ...huge, 0x80, 0x80]), 0, 10), false)
    assert.equal(survives(Buffer.from([tag, ...new Array(200).fill(0xff)]), 0, 201), false)
  }
  assert.equal(survives(Buffer.from([BINARY, 0, ...huge]), 0, 9), false)
  for (const run of [
    [ARRAY, 2, TEXTS, 0, 0, 0],
    [ARRAY, 2, TEXTS, 3, 0, 0, 0],
    [ARRAY, 2, TEXTS, 2, 1, 2, 0x61, 0x62],
    [TEXTS, 1, 1, 0x61],
  ])
    assert.equal(survives(Buffer.from(run), 0, run.length), false)
  assert.equal(survives(Buffer.from([ARRAY, 2, TEXTS, 2, 1, 0, 0x61]), 0, 7), true)
  for (const unit of [
    [ARRAY, 0xff, 0x7f],
    [ARRAY_KEYED, 0xff, 0xff, 3],
    [MAP],
    [ERROR, 0, 0x80, 0x80, 0x80, 1, 0x61],
  ]) {
    const bytes = Buffer.from(new Array(50_000).fill(unit).flat())
    const before = process.memoryUsage().rss
    assert.equal(survives(bytes, 0, bytes.length), false)
    const grown = process.memoryUsage().rss - before
    assert.equal(grown < 50e6, true, `${grown} bytes for ${unit}`)
  }
})

test('nothing before the start or behind the end is read', () => {
  const whole = copyOf(specimen())
  memory.fill(GUARD)
  whole.copy(memory, 100)
  const first = decode(memory, 100, 100 + whole.length)
  memory.fill(0x17, 0, 100)
  memory.fill(0x17, 100 + whole.length)
  assert.deepStrictEqual(decode(memory, 100, 100 + whole.length), first)
  assert.equal(survives(memory, 100, 100), false)
})
