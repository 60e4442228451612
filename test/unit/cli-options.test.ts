/** Which options a module takes, and how arguments become their values. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCommandLine } from '../../src/cli/command-line.ts'
import { findKnownOptions } from '../../src/cli/known-options.ts'
import { readOptions } from '../../src/cli/read-options.ts'
import { readParameter } from '../../src/cli/read-parameter.ts'
import { definePipeline, pipeline } from '../../src/index.ts'

const hasCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code

/** `name` or `name=default`. */
function names(source: string): string[] | string {
  const found = readParameter(source)
  if (typeof found === 'string') return found
  const entries = found.names.map((entry) =>
    entry.default === undefined ? entry.name : `${entry.name}=${entry.default}`,
  )
  return found.isOpen ? [...entries, '...'] : entries
}

test('the names of a destructured parameter are read from any form of function', () => {
  for (const source of [
    '({ a, b = 1 }) => a',
    'async ({ a, b = 1 }) => a',
    'function ({ a, b = 1 }) {}',
    'async function build({ a, b = 1 }) { return (1) }',
    'build({ a, b = 1 }) {}',
    '({ a, b = 1 } = {}) => 0',
    '({ a, b = 1, }, other = ")") => 0',
    '( /* ({ x }) */ { a, // , z\n b = 1 }) => 0',
  ]) {
    assert.deepEqual(names(source), ['a', 'b=1'], source)
  }
})

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is source text
test('defaults may hold brackets, strings, templates and functions', () => {
  assert.deepEqual(names('({ a = ",", b = [1, { c: 2 }], d = `}${"`"},`, e = (x, y) => ({ x }) }) => 0'), [
    'a=","',
    'b=[1, { c: 2 }]',
    'd=`}${"`"},`',
    'e=(x, y) => ({ x })',
  ])
  assert.deepEqual(names("({ a = 'it\\'s }' , b = x == y }) => 0"), ["a='it\\'s }'", 'b=x == y'])
})

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: it is source text

test('renamed, quoted and nested names are those of the caller', () => {
  assert.deepEqual(names('({ \'fail-at\': failAt = 3, a: b, c: { d = 4 } = {}, "e f": g }) => 0'), [
    'fail-at=3',
    'a',
    'c={}',
    'e f',
  ])
})

test('a rest element or a computed name takes any option', () => {
  assert.deepEqual(names('({ a, ...rest }) => 0'), ['a', '...'])
  assert.deepEqual(names('({ [key]: a, b }) => 0'), ['b', '...'])
})

test('without a pattern nothing is known, without a parameter there is nothing', () => {
  for (const source of [
    '(options) => 0',
    'options => 0',
    'async o => (1)',
    'function f(o = {}) {}',
    'class A { f({ a }) {} }',
  ])
    assert.equal(names(source), 'anything', source)
  assert.equal(names('function () { [native code] }'), 'anything')
  for (const source of ['() => 0', 'function f( /* none */ ) {}', 'async () => {}'])
    assert.equal(names(source), 'none')
})

test('literal defaults type their options', () => {
  const { table, expressions } = findKnownOptions(
    ({ a, b = -1.5, c = true, d = false, e = 'x', f = undefined, g = [1] }: Record<string, unknown>) =>
      [a, b, c, d, e, f, g] as never,
  )
  assert.deepEqual(table, {
    a: { type: 'string' },
    b: { type: 'number', default: -1.5 },
    c: { type: 'boolean', default: true },
    d: { type: 'boolean', default: false },
    e: { type: 'string', default: 'x' },
    f: { type: 'string', optional: true },
    g: { type: 'string', optional: true },
  })
  assert.deepEqual(Object.keys(expressions), ['g'])
})

test('what definePipeline was given is known', () => {
  const table = { file: { type: 'string' } } as const
  assert.deepEqual(findKnownOptions(definePipeline('file:///x', table, () => pipeline('p'))).table, table)
  const byParameter = definePipeline('file:///x', ({ n = 1 }: { n?: number }) => pipeline(String(n)))
  assert.deepEqual(findKnownOptions(byParameter).table, { n: { type: 'number', default: 1 } })
  assert.deepEqual(findKnownOptions(pipeline('p')), { table: {}, isOpen: false, expressions: {} })
})

const known = {
  table: {
    file: { type: 'string' },
    size: { type: 'integer', default: 1, min: -9 },
    rate: { type: 'number', optional: true },
    flag: { type: 'boolean', default: true },
  },
  isOpen: false,
  expressions: {},
} as const

test('arguments become values of the types of their options', () => {
  assert.deepEqual(readOptions(['--file', 'a', '--size=-3', '--rate', '-1e3', '--no-flag'], known, 'x'), {
    file: 'a',
    size: -3,
    rate: -1000,
    flag: false,
  })
  assert.deepEqual(readOptions(['--flag=false', '--file', '-', '--flag'], known, 'x'), {
    file: '-',
    flag: true,
  })
  assert.deepEqual(readOptions(['--file=--size'], known, 'x'), { file: '--size' })
  assert.deepEqual(readOptions(['--file', '1', '--file', '2'], known, 'x'), { file: '2' })
})

test('wrong arguments are refused', () => {
  const refused = [
    [[], 'MILLRACE_MISSING_OPTION'],
    [['--file'], 'MILLRACE_USAGE'],
    [['--file', '--size', '1'], 'MILLRACE_USAGE'],
    [['--file', 'a', 'b'], 'MILLRACE_USAGE'],
    [['--file', 'a', '--no-size'], 'MILLRACE_UNKNOWN_OPTION'],
    [['--file', 'a', '-x'], 'MILLRACE_UNKNOWN_OPTION'],
    [['--file', 'a', '--toString'], 'MILLRACE_UNKNOWN_OPTION'],
    [['--file', 'a', '--size', '1.5'], 'MILLRACE_INVALID_OPTION'],
    [['--file', 'a', '--size', ''], 'MILLRACE_INVALID_OPTION'],
    [['--file', 'a', '--size', '-10'], 'MILLRACE_INVALID_OPTION'],
    [['--file', 'a', '--rate', 'NaN'], 'MILLRACE_INVALID_OPTION'],
    [['--file', 'a', '--flag=yes'], 'MILLRACE_INVALID_OPTION'],
  ] as const
  for (const [args, code] of refused) {
    assert.throws(() => readOptions(args, known, 'x'), hasCode(code), args.join(' '))
  }
})

test('where any option is taken, those known keep their types', () => {
  const open = { ...known, isOpen: true }
  assert.deepEqual(
    readOptions(['--file', '7', '--size', '7', '--other', '7', '--on', '--no-off'], open, 'x'),
    {
      file: '7',
      size: 7,
      other: '7',
      on: true,
      off: false,
    },
  )
  assert.throws(
    () => readOptions(['--__proto__=x', '--file=a'], open, 'x'),
    hasCode('MILLRACE_UNKNOWN_OPTION'),
  )
})

test('our options are taken before and after FILE, up to --', () => {
  const line = readCommandLine('run', [
    '--json',
    'a.ts',
    '--x',
    '1',
    '--deadline-ms',
    '5',
    '-2',
    '--',
    '--quiet',
    '--',
    'y',
  ])
  assert.equal(line.file, 'a.ts')
  assert.deepEqual(line.rest, ['--x', '1', '-2', '--quiet', '--', 'y'])
  assert.deepEqual([line.json, line.quiet, line.deadlineMs], [true, false, 5])
  assert.equal(readCommandLine('run', ['--', 'a.ts', '--json']).file, 'a.ts')
  assert.equal(readCommandLine('graph', ['a.ts', '-h']).help, true)
})

test('our options are checked', () => {
  for (const args of [
    ['--json=1', 'a'],
    ['a', '--deadline-ms'],
    ['a', '--deadline-ms=-1'],
    ['--x', 'a'],
    ['-x', 'a'],
  ])
    assert.throws(() => readCommandLine('run', args), hasCode('MILLRACE_USAGE'), args.join(' '))
  assert.throws(() => readCommandLine('graph', ['a', '--format', 'gif']), hasCode('MILLRACE_USAGE'))
})
