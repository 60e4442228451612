/** What is wrong with a command is told before any thread starts: exit code 2, on stderr, with what to do. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { DEMO, fixture, millrace } from '../support/command.ts'
import { test } from '../support/harness.ts'

async function refuses(t: TestContext, args: string[], ...expected: RegExp[]): Promise<void> {
  const { code, stdout, stderr } = await millrace(t, ...args)
  for (const pattern of expected) assert.match(stderr, pattern)
  assert.equal(stdout, '')
  assert.equal(code, 2, stderr)
}

/** Runs a module that cannot stand in the repository: no checker would take it. */
async function refusesModule(
  t: TestContext,
  name: string,
  source: string,
  ...expected: RegExp[]
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(path.join(folder, name), source)
  await refuses(t, ['run', path.join(folder, name)], ...expected)
}

test('without a command the usage goes to stderr', (t) => refuses(t, [], /^Usage: millrace <command>/))

test('an unknown command is named', (t) => refuses(t, ['fly'], /unknown command "fly"/, /Usage:/))

test('--help goes to stdout', async (t) => {
  const { code, stdout, stderr } = await millrace(t, '--help')
  assert.match(stdout, /millrace graph FILE/)
  assert.equal(stderr, '')
  assert.equal(code, 0)
})

test('--version prints the version', async (t) => {
  const { code, stdout } = await millrace(t, '--version')
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal(code, 0)
})

test('the help of a command says what the exit codes mean', async (t) => {
  const { code, stdout } = await millrace(t, 'run', '--help')
  assert.match(stdout, /--deadline-ms N/)
  assert.match(stdout, /Exit codes: 0 completed/)
  assert.equal(code, 0)
})

test('the help of a pipeline lists its options', async (t) => {
  const { code, stdout } = await millrace(t, 'run', DEMO, '--help')
  assert.match(
    stdout,
    /--capacity <integer> +Lines that each queue holds at most\. \(1 or more\) Default: 32\./,
  )
  assert.match(stdout, /--json/)
  assert.equal(code, 0)
})

test('the help of a plain function lists the names and defaults of its parameter', async (t) => {
  const { stdout } = await millrace(t, 'run', fixture('plain.ts'), '--help')
  assert.match(stdout, /--file <string> +Required\./)
  assert.match(stdout, /--count <number> +Default: 2\./)
  assert.match(stdout, /--no-loud +Default: true\./)
})

test('a command needs a file', (t) => refuses(t, ['run'], /needs a FILE/, /MILLRACE_USAGE/))

test('options of the pipeline come after its file', (t) =>
  refuses(t, ['run', '--nope', DEMO], /come after its file: --nope/))

test('an unknown option lists those known', (t) =>
  refuses(t, ['run', DEMO, '--fil', 'x'], /unknown option "fil"; known are file, duration/, /UNKNOWN_OPTION/))

test('a missing option is named', (t) =>
  refuses(t, ['run', fixture('plain.ts')], /option "file" is missing; known are file, count/))

test('an option without its value is named', (t) =>
  refuses(t, ['run', DEMO, '--file', '--slow-ms', '3'], /option --file needs a value/))

test('a value of the wrong type is named', (t) =>
  refuses(
    t,
    ['run', DEMO, '--capacity', 'many'],
    /option "capacity" must be an integer, 1 or more, got 'many'/,
  ))

test('a value out of its range is named', (t) => refuses(t, ['run', DEMO, '--capacity', '-5'], /got -5/))

test('an argument that belongs to nothing is named', (t) =>
  refuses(t, ['run', DEMO, 'stray'], /unexpected argument "stray"/))

test('a pipeline that is exported directly takes no options', (t) =>
  refuses(t, ['run', fixture('no-sink.ts'), '--x', '1'], /unknown option "x"; it takes none/))

test('a deadline must be a number', (t) =>
  refuses(t, ['run', DEMO, '--deadline-ms', 'soon'], /--deadline-ms must be a number/))

test('a file that is not there', (t) => refuses(t, ['run', 'nowhere.ts'], /there is no file .*nowhere\.ts/))

test('a pipeline without a sink', (t) =>
  refuses(t, ['run', fixture('no-sink.ts')], /pipeline "open" has no sink/, /MILLRACE_NO_SINK/))

test('a pipeline without a source', (t) =>
  refuses(t, ['run', fixture('no-source.ts')], /pipeline "fed" has no source/, /MILLRACE_NO_SOURCE/))

test('a module without a default export', (t) =>
  refusesModule(t, 'a.mjs', 'export const a = 1', /no default export/, /MILLRACE_NO_DEFAULT_EXPORT/))

test('a default export that is no pipeline', (t) =>
  refusesModule(t, 'a.mjs', 'export default 5', /must export a pipeline, got 5/))

test('a module that imports what is not there', (t) =>
  refusesModule(t, 'a.mjs', "import './gone.mjs'", /Cannot find module .*gone\.mjs.* imported from .*a\.mjs/))

test('a syntax error in JavaScript shows file, line and mark', (t) =>
  refusesModule(t, 'a.mjs', '\n\nconst x = = 3\n', /SyntaxError/, /a\.mjs:3\n/, /const x = = 3\n *\^/))

test('a syntax error in TypeScript shows file and line', (t) =>
  refusesModule(t, 'a.ts', '\n\nconst y: number = = 3\n', /a\.ts:3/))

test('an error of the function that builds the pipeline shows where it was thrown', (t) =>
  refusesModule(
    t,
    'a.mjs',
    "export default () => {\n  throw new TypeError('no model')\n}",
    /could not build its pipeline: TypeError: no model/,
    /at .*a\.mjs:2/,
  ))

test('--verbose shows the frames of Millrace too', async (t) => {
  const [plain, verbose] = await Promise.all([
    millrace(t, 'run', 'nowhere.ts'),
    millrace(t, 'run', 'nowhere.ts', '--verbose'),
  ])
  assert.doesNotMatch(plain.stderr, /load-pipeline\.ts|core\.cjs/)
  assert.match(verbose.stderr, /load-pipeline\.ts|core\.cjs/)
})

test('graph draws a pipeline in each format, open ends too', async (t) => {
  const [text, mermaid, dot] = await Promise.all([
    millrace(t, 'graph', DEMO, '--capacity', '7'),
    millrace(t, 'graph', '--format', 'mermaid', fixture('no-sink.ts')),
    millrace(t, 'graph', fixture('no-source.ts'), '--format=dot'),
  ])
  assert.match(text.stdout, /reader +source +1 thread\n +└──> upper +7 items/)
  assert.match(mermaid.stdout, /^flowchart LR\n.*numbers/s)
  assert.ok(!mermaid.stdout.includes('\u001b'))
  assert.match(dot.stdout, /^digraph "fed" \{/)
  assert.deepEqual([text.code, mermaid.code, dot.code], [0, 0, 0])
})

test('graph checks its format and the options of the pipeline', async (t) => {
  await refuses(t, ['graph', DEMO, '--format', 'png'], /--format must be text, mermaid, dot, got "png"/)
  await refuses(t, ['graph', fixture('plain.ts')], /option "file" is missing/)
})
