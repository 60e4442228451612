import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { DeadLetter } from '../../src/define/dead-letter.ts'
import type { StageContext } from '../../src/define/stage-body.ts'
import { makeDeadLetter } from '../../src/host/dead-letter.ts'
import { makeDeadLetterSink } from '../../src/host/dead-letter-file.ts'
import { makeFailure } from '../../src/observe/failure.ts'

const FOLDER = mkdtempSync(path.join(tmpdir(), 'millrace-dead-letters-'))
after(() => rmSync(FOLDER, { recursive: true }))
const ctx = {} as StageContext
let files = 0

function letterOf(input: unknown): DeadLetter {
  const place = { stage: 'parse', worker: 0, item: 1 }
  const failure = makeFailure('MILLRACE_STAGE_FAILED', 'failed', place, new Error('no good'))
  return makeDeadLetter(failure, input, 1, new Date(0))
}

function write(file: string, ...inputs: unknown[]): void {
  const sink = makeDeadLetterSink(file)
  const fd = sink.open?.(ctx) as number
  for (const input of inputs) sink.process(letterOf(input), fd, ctx)
  void sink.close?.(fd, ctx)
}

function newFile(): string {
  return path.join(FOLDER, `${++files}.ndjson`)
}

/** What stands in the file for the input. */
function written(input: unknown): unknown {
  const file = newFile()
  write(file, input)
  return JSON.parse(readFileSync(file, 'utf8')).input
}

test('each letter is a line of its own, appended to what is there', () => {
  const file = newFile()
  write(file, { id: 1 }, 'two\nlines')
  write(file, 3)
  const lines = readFileSync(file, 'utf8').split('\n')
  assert.equal(lines.pop(), '')
  const letters = lines.map((line) => JSON.parse(line) as DeadLetter)
  assert.deepEqual(
    letters.map(({ input }) => input),
    [{ id: 1 }, 'two\nlines', 3],
  )
  assert.equal(letters[0].error.message, 'no good')
})

test('a JSON value is written as it is', () => {
  // Without -0, which is no JSON value.
  const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))
  const isPlain = (value: unknown) => !/"\$/.test(JSON.stringify(value))
  fc.assert(
    fc.property(json.filter(isPlain), (value) => assert.deepEqual(written(value), value)),
    { numRuns: 50 },
  )
})

const cases: [what: string, input: unknown, expected: unknown][] = [
  ['bytes', new Uint8Array([0, 1, 255]), { $bytes: 'AAH/' }],
  ['a Buffer', Buffer.from('hi'), { $bytes: 'aGk=' }],
  ['a typed array', new Uint16Array([1]), { $bytes: 'AQA=', $type: 'Uint16Array' }],
  ['an ArrayBuffer', new ArrayBuffer(1), { $bytes: 'AA==', $type: 'ArrayBuffer' }],
  ['a part of a buffer', new Uint8Array([1, 2, 3]).subarray(1, 2), { $bytes: 'Ag==' }],
  ['a bigint', { big: 12n }, { big: { $bigint: '12' } }],
  [
    'numbers that JSON has not',
    [Number.NaN, -1 / 0, -0],
    [{ $number: 'NaN' }, { $number: '-Infinity' }, { $number: '-0' }],
  ],
  ['undefined', [undefined, { a: undefined }], [{ $undefined: true }, { a: { $undefined: true } }]],
  ['a date', new Date(0), { $date: '1970-01-01T00:00:00.000Z' }],
  ['no date', new Date(Number.NaN), { $date: null }],
  ['a Map', new Map([[{ key: 1 }, 2n]]), { $map: [[{ key: 1 }, { $bigint: '2' }]] }],
  ['a Set', new Set(['a', undefined]), { $set: ['a', { $undefined: true }] }],
  ['a regular expression', /a"b/g, { $regexp: '/a"b/g' }],
  ['keys like ours', { $bytes: 1, $$a: 2 }, { $$bytes: 1, $$$a: 2 }],
  ['a key __proto__', JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
  // biome-ignore lint/suspicious/noSparseArray: that is what is tested
  ['an array with holes', [, 1], { $array: { 1: 1 }, $length: 2 }],
  ['a symbol', Symbol('x'), { $text: 'Symbol(x)' }],
  ['half a character', '\ud800', '\ud800'],
]

for (const [what, input, expected] of cases) {
  test(`${what} can be read`, () => assert.deepEqual(written(input), expected))
}

test('an error keeps its message and its fields', () => {
  const { $error } = written(Object.assign(new RangeError('far'), { code: 7n })) as { $error: never }
  const { name, message, fields } = $error as Record<string, unknown>
  assert.deepEqual([name, message, fields], ['RangeError', 'far', { code: { $bigint: '7' } }])
})

test('cycles and objects that stand in two places point to the first', () => {
  const shared = { a: 1 }
  const input: Record<string, unknown> = { list: [shared, shared], 'odd key': { shared } }
  input.self = input
  assert.deepEqual(written(input), {
    list: [{ a: 1 }, { $ref: '$.input.list[0]' }],
    'odd key': { shared: { $ref: '$.input.list[0]' } },
    self: { $ref: '$.input' },
  })
})

test('an object that doubles with every level is written once per level', () => {
  let input: unknown = 'end'
  for (let level = 0; level < 64; level++) input = [input, input]
  assert.ok(JSON.stringify(written(input)).length < 20_000)
})

test('no value is too deep', () => {
  let input: unknown = 0
  for (let level = 0; level < 200_000; level++) input = [input]
  const file = newFile()
  write(file, input)
  assert.ok(readFileSync(file, 'utf8').includes(`${'['.repeat(200_000)}0${']'.repeat(200_000)}`))
})

test('long text and many bytes are written whole', () => {
  const text = 'é😀"\n'.repeat(100_000)
  const bytes = new Uint8Array(1_000_003).map((_, index) => index)
  const [gotText, gotBytes] = written([text, bytes]) as [string, { $bytes: string }]
  assert.ok(gotText === text)
  assert.ok(Buffer.from(gotBytes.$bytes, 'base64').equals(bytes))
})

test('a line that a killed process left unfinished is not glued to the next', () => {
  const file = newFile()
  writeFileSync(file, '{"half":')
  write(file, 1)
  const [half, line] = readFileSync(file, 'utf8').split('\n')
  assert.equal(half, '{"half":')
  assert.equal(JSON.parse(line).input, 1)
})

test('a file that is there and empty gets no empty line', () => {
  const file = newFile()
  writeFileSync(file, '')
  write(file, 1)
  assert.equal(readFileSync(file, 'utf8').indexOf('{'), 0)
})

test('a file that cannot be opened is named in the error', () => {
  const file = path.join(FOLDER, 'no such directory', 'letters')
  assert.throws(
    () => write(file),
    (error: Error & { code?: string }) =>
      error.code === 'MILLRACE_DEAD_LETTERS_FAILED' &&
      error.message.includes(file) &&
      error.message.includes('ENOENT'),
  )
})

test('a file that cannot be written is named in the error', { skip: process.platform !== 'linux' }, () => {
  assert.throws(
    () => write('/dev/full', 1),
    (error: Error & { code?: string }) =>
      error.code === 'MILLRACE_DEAD_LETTERS_FAILED' && /\/dev\/full .*ENOSPC/.test(error.message),
  )
})
