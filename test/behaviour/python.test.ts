// Functions in Python as a stage.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { WireError } from '../../src/errors.ts'
import { packageFile } from '../../src/host/own-files.ts'
import { type Blueprint, type Failure, type PipelineError, pipeline, start } from '../../src/index.ts'
import { decodePython, encodePython } from '../../src/python/python-frame.ts'
import { type NdArray, python } from '../../src/python.ts'
import { assertBalanced } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

const LOOP = { on: 'loop' } as const
const SYSTEM = '/usr/bin/python3'
const hasPython = spawnSync('python3', ['--version']).status === 0
const hasNumpy = spawnSync(SYSTEM, ['-c', 'import numpy']).status === 0
const echo = (interpreter = 'python3') =>
  python<unknown, { item: unknown; type: string }>({
    file: new URL('../fixtures/echo.py', import.meta.url),
    python: interpreter,
  })

async function through(items: unknown[], interpreter?: string) {
  const blueprint = pipeline('python')
    .source('items', () => items, LOOP)
    .stage('echo', echo(interpreter), { ...LOOP, concurrency: 4, onError: 'skip' })
  const run = watch(start(blueprint as Blueprint<never, { item: unknown; type: string }>))
  const all: { item: unknown; type: string }[] = []
  for await (const output of run) all.push(output as never)
  const report = await run.join()
  assertBalanced(report)
  return { all, report }
}

const noPython = hasPython ? false : 'there is no python3'
const noNumpy = hasNumpy ? false : `${SYSTEM} has no numpy`

test('items travel there and back: JSON, bytes, names that begin with $', { skip: noPython }, async () => {
  const items = [
    { a: [1, 2.5, 'ü', null, true] },
    'text',
    7,
    [],
    { $bytes: 1, b: 2 },
    new Uint8Array([0, 255, 7]),
  ]
  const { all } = await through(items)
  assert.deepEqual(
    all.map(({ item }) => item),
    items,
  )
  assert.equal(all.at(-1)?.type, 'bytes')
})

test('an exception fails its item with the traceback, None drops it, what is printed is not in the way', {
  skip: noPython,
}, async () => {
  const { all, report } = await through(['a', 'throw', 'drop', 'print', 'b'])
  assert.deepEqual(
    all.map(({ item }) => item),
    ['a', 'print', 'b'],
  )
  const [failure] = report.failures
  assert.deepEqual([failure.code, failure.item], ['MILLRACE_STAGE_FAILED', 2])
  assert.match(failure.message, /stage "echo" failed at item 2: ValueError: not this one/)
  assert.match(failure.error?.message ?? '', /Traceback(?:.|\n)*echo\.py", line \d+, in answer/)
  assert.deepEqual([report.stages[1].failed, report.stages[1].dropped], [1, 1])
})

test('typed arrays are numpy arrays there, of several dimensions too', { skip: noNumpy }, async () => {
  const items = [
    new Float32Array([1, 2.5, -3]),
    { data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
    new Int16Array([1, -2]),
    { deep: { frames: [new Uint16Array([65535])] } },
  ]
  const { all } = await through(items, SYSTEM)
  assert.deepEqual(
    all.map(({ item }) => item),
    items,
  )
  assert.deepEqual(
    all.slice(0, 3).map(({ type }) => type),
    ['ndarray', 'ndarray', 'ndarray'],
  )
  assert.deepEqual((all[1].item as NdArray).shape, [2, 3])
})

test('numbers are the same there and back: large integers, bigints, and floats that JSON has not', {
  skip: noPython,
}, async () => {
  const items = [
    [2 ** 53 - 1, 1 - 2 ** 53, 2n ** 53n, -(2n ** 53n), 2n ** 200n, -(10n ** 5000n)],
    [2 ** 53, 2 ** 60, 1e300, -(2 ** 53)],
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0],
    { $int: '1', $float: 'x' },
  ]
  const { all } = await through([...items, 7n])
  assert.deepStrictEqual(
    all.map(({ item }) => item),
    [...items, 7],
  )
})

test('integers of any size, nan, and arrays without numpy come of Python as they are', {
  skip: noPython,
}, async () => {
  const { all } = await through([
    'large',
    'float',
    'nan',
    'array',
    'view',
    'squares',
    'plain view',
    'odd view',
  ])
  assert.deepStrictEqual(
    all.map(({ item }) => item),
    [
      [2 ** 53 - 1, 2n ** 53n, -(2n ** 64n), true],
      [0.5, -0, 1e22],
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [Float64Array.of(1, 2.5), Int32Array.of(-1), BigInt64Array.of(-5n)],
      Float32Array.of(1.5, -2),
      { data: Uint16Array.of(1, 2, 3, 4), shape: [2, 2] },
      new Uint8Array([1, 2, 3]),
    ],
  )
})

test('options of python that are none are refused by name, before anything is started', () => {
  const refused: [unknown, string, RegExp][] = [
    [undefined, 'MILLRACE_INVALID_OPTION', /^python: options must be an object, got undefined/],
    [{}, 'MILLRACE_INVALID_OPTION', /python: file must be the path or the file: URL of a program in Python/],
    [{ file: new URL('https://a.b/c.py') }, 'MILLRACE_INVALID_OPTION', /python: file must/],
    [{ file: 'a.py', python: '' }, 'MILLRACE_INVALID_OPTION', /python: python must/],
    [{ file: 'a.py', args: '-u' }, 'MILLRACE_INVALID_OPTION', /python: args must/],
    [{ file: 'a.py', pyhton: 'x' }, 'MILLRACE_UNKNOWN_OPTION', /"pyhton"/],
  ]
  for (const [options, code, message] of refused)
    assert.throws(() => python(options as never), { code, message })
})

test('without numpy arrays are memoryviews there, and come back as they were', {
  skip: noPython,
}, async () => {
  const items = [
    Float32Array.of(1, 2.5),
    { data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
    BigInt64Array.of(-5n),
    new Uint8Array([1]),
  ]
  const body = python<unknown, { item: unknown; type: string }>({
    file: new URL('../fixtures/echo.py', import.meta.url),
    env: { WITHOUT_NUMPY: '1' },
  })
  const blueprint = pipeline('python')
    .source('items', () => items, LOOP)
    .stage('echo', body, LOOP)
  const all: { item: unknown; type: string }[] = []
  for await (const output of watch(start(blueprint))) all.push(output)
  assert.deepEqual(
    all.map(({ item }) => item),
    items,
  )
  assert.deepEqual(
    all.map(({ type }) => type),
    ['memoryview', 'memoryview', 'memoryview', 'bytes'],
  )
})

test('a masked array is refused: its mask would be lost', { skip: noNumpy }, async () => {
  const { report } = await through(['masked'], SYSTEM)
  assert.match(
    report.failures[0].message,
    /TypeError: a masked array cannot travel with its mask: give value/,
  )
})

test('what cannot travel to Python is told with item and value', { skip: noPython }, async () => {
  const { report } = await through([1, new Map(), new Date(0)])
  assert.deepEqual(
    report.failures.map(({ code, item }) => [code, item]),
    [
      ['MILLRACE_NOT_CLONEABLE', 2],
      ['MILLRACE_NOT_CLONEABLE', 3],
    ],
  )
})

const ASKS = new URL('../fixtures/asks.py', import.meta.url)

test('what Python and its programs print while it loads is not in the way, and they read nothing of the items', {
  skip: noPython,
}, async () => {
  const items = ['a', 'cat', 'input', 'inherited', 'variable', 'b']
  const body = python<string, unknown>({ file: ASKS, env: { PYTHONUNBUFFERED: '1' } })
  const blueprint = pipeline('python')
    .source('items', () => items, LOOP)
    .stage('ask', body, { ...LOOP, concurrency: 6, onError: 'skip' })
  const run = watch(start(blueprint as Blueprint<never, unknown>))
  const all: unknown[] = []
  for await (const output of run) all.push(output)
  assert.deepEqual(all, ['a', 0, [], 'none', 'b'])
  const { failures } = await run.join()
  assert.equal(failures.length, 1)
  assert.match(failures[0].message, /item 3: EOFError/)
})

test('what is printed before the import and is not buffered is told as such', {
  skip: noPython,
}, async () => {
  const file = new URL('../fixtures/early.py', import.meta.url)
  const body = python<string, string>({ file, env: { PYTHONUNBUFFERED: '1' } })
  const early = pipeline('early')
    .source('items', () => ['a', 'b'], LOOP)
    .stage('echo', body, LOOP)
  await assert.rejects(watch(start(early.sink('end', () => {}, LOOP))).join(), (error: PipelineError) => {
    assert.equal((error.failures as Failure[])[0].code, 'MILLRACE_BAD_FRAME')
    const told =
      /it printed before it was ready \(in Python: before "import millrace"\): 'loading the model'$/
    assert.match(error.message, told)
    return true
  })
})

test('the import changes nothing where no stage has started it; run answers there too', {
  skip: noPython,
}, async () => {
  const env = { ...process.env, PYTHONPATH: fileURLToPath(packageFile('python')) }
  const says = "import millrace, sys; print('said'); print(sys.stdin.read())"
  const ordinary = spawnSync('python3', ['-c', says], { env, input: 'heard', encoding: 'utf8' })
  assert.deepEqual([ordinary.stdout, ordinary.stderr], ['said\nheard\n', ''])
  const frame = encodePython('item')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(frame.length)
  const input = Buffer.concat([length, frame])
  const file = fileURLToPath(new URL('../fixtures/echo.py', import.meta.url))
  const { stdout } = spawnSync('python3', [file], { env, input })
  const { value } = decodePython(stdout.subarray(4)) as { value: unknown }
  assert.deepEqual(value, { item: 'item', type: 'str' })
})

for (const file of ['/no-such-file.py', new URL('../fixtures/broken.py', import.meta.url)]) {
  test(`Python that does not start ends the run with its own words: ${String(file).split('/').at(-1)}`, {
    skip: noPython,
  }, async () => {
    const blueprint = pipeline('python')
      .source('items', () => ['a', 'b'], LOOP)
      .stage('echo', python<string, string>({ file }), { ...LOOP, onError: 'skip', retry: { attempts: 2 } })
    const run = watch(start(blueprint as Blueprint<never, string>))
    await assert.rejects(
      async () => {
        for await (const _ of run);
        await run.join()
      },
      (error: PipelineError) => {
        const [{ code, error: told }] = error.failures as (Failure & { error: WireError })[]
        assert.equal(code, 'MILLRACE_COMMAND_FAILED')
        assert.match(told.message, /program 'python3' exited with status \d before it was ready; its words/)
        assert.match(told.message, /No such file|No module named 'no_such_module'/)
        return true
      },
    )
  })
}

test('the memory of an answer is used again', { skip: noPython }, async () => {
  const items = Array.from({ length: 300 }, (_, at) => new Uint8Array(16_384).fill(at))
  const blueprint = pipeline('python')
    .source('items', () => items, LOOP)
    .stage('echo', echo(), { ...LOOP, concurrency: 4, slabBytes: 2 ** 20 })
    .map(({ item }) => (item as Uint8Array)[7])
  const run = watch(start(blueprint as Blueprint<never, number>))
  const all: number[] = []
  for await (const output of run) all.push(output as number)
  assert.deepEqual(
    all,
    items.map(([first]) => first),
  )
  const { slabs } = (await run.join()).stages[1]
  assert.deepEqual([slabs?.allocated, slabs?.copied, slabs?.held], [300, 0, 0])
})

test('an abort ends the interpreter, and what it has in hand is abandoned', { skip: noPython }, async () => {
  const blueprint = pipeline('python')
    .source('items', () => ['a', 'stay', 'b'], LOOP)
    .stage('echo', echo(), { ...LOOP, concurrency: 3 })
  const run = watch(start(blueprint as Blueprint<never, unknown>))
  await run[Symbol.asyncIterator]().next()
  run.abort('enough')
  const report = await run.join()
  assertBalanced(report)
  assert.deepEqual([report.outcome, report.failures], ['aborted', []])
})

test('an interpreter that dies fails the item that it had in hand, and another answers the rest', {
  skip: noPython,
}, async () => {
  const { all, report } = await through(['a', { die: 1 }, 'b'])
  assert.deepEqual(
    all.map(({ item }) => item),
    ['a', 'b'],
  )
  assert.match(report.failures[0].message, /program 'python3' exited with status 3/)
})
