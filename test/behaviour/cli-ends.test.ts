/** `millrace run` where something ends the process, or stdout, before all is told: it says so, and never exits with 0. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { Command, fixture, lastLine, millrace, millraceLine } from '../support/command.ts'
import { test } from '../support/harness.ts'
import { COMMAND } from '../support/places.ts'

/** A module that cannot stand in the repository: it would do harm to whoever loads it. */
function moduleOf(t: TestContext, source: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'a.mjs')
  const url = new URL('../../src/index.ts', import.meta.url).href
  writeFileSync(file, `import { definePipeline, pipeline } from '${url}'\n${source}\n`)
  return file
}

/** A pipeline on the loop whose stage does this at item 3. */
function atThree(does: string): string {
  return `export default pipeline('p').source('numbers', [1, 2, 3, 4], { on: 'loop' })
    .stage('middle', async (n) => { if (n === 3) { ${does} } return n }, { on: 'loop' })
    .sink('end', () => {}, { on: 'loop' })`
}

/** One whose sink does this at its last item, when the other stages have ended. */
function atTheEnd(does: string): string {
  return `export default pipeline('p').source('numbers', [1, 2, 3], { on: 'loop' })
    .sink('end', async (n) => { if (n === 3) { await new Promise(setImmediate); ${does} } }, { on: 'loop' })`
}

const ENDS = [
  {
    what: 'process.exit(0)',
    does: 'process.exit(0)',
    says: /^millrace: the process was ended from inside \(process\.exit\) before the run was done$/m,
  },
  {
    what: 'a stage on the loop that awaits what never comes',
    does: 'await new Promise(() => {})',
    says: /^millrace: the run cannot go on: a stage on the loop awaits something that never comes$/m,
  },
  {
    what: 'an error that nobody catches',
    does: "await new Promise(() => setImmediate(() => { throw new Error('lost') }))",
    says: /^millrace: the process died of an error that nobody caught before the run was done$/m,
  },
]

for (const { what, does, says } of ENDS) {
  test(`told, with the report so far, and exit code 1: ${what}`, async (t) => {
    const end = await millrace(t, 'run', moduleOf(t, atTheEnd(does)), '--json', '--quiet')
    assert.match(end.stderr, says)
    const report = lastLine(end)
    assert.deepEqual([report.schema, report.outcome], ['millrace.report/1', 'aborted'])
    assert.match(says.source, new RegExp((report.reason as string).slice(0, 20)))
    assert.equal(end.code, 1)
  })
}

test('a stuck stage on the loop does not make the process kill itself', async (t) => {
  const file = moduleOf(t, atThree("console.error('it hangs'); await new Promise(() => {})"))
  const command = new Command(t, ['run', file, '--deadline-ms', '50', '--json'])
  await command.shows('stderr', 'it hangs')
  command.child.kill('SIGINT')
  const end = await command.end
  assert.match(
    end.stderr,
    /stage "middle" could not be ended at item 3: its process function has not returned/,
  )
  assert.equal(lastLine(end).failures[0].code, 'MILLRACE_WORKER_STUCK')
  assert.deepEqual([end.code, end.signal], [130, null])
})

/** Of the module's own, in the main thread, begun when the last item is done; what takes long to start was started before. */
const LAST_WORK = [
  { what: 'a timer', does: "setTimeout(() => console.error('last'), 5)" },
  {
    what: 'a chain of promises',
    does: "const say = async () => { for (let n = 0; n < 50; n++) await 0; console.error('last') }\n say()",
  },
  { what: 'a computation in the thread pool', does: "gzip('last', () => console.error('last'))" },
  {
    what: 'a thread',
    before: `const heard = "require('node:worker_threads').parentPort.once('message', () => console.error('last'))"
      const thread = new Worker(heard, { eval: true })
      await once(thread, 'online')`,
    does: 'thread.postMessage(1)',
  },
  {
    what: 'a program',
    before: "const program = spawn('cat')\nawait once(program, 'spawn')",
    does: "program.once('exit', () => console.error('last')).stdin.end()",
  },
  { what: 'a listener of beforeExit', does: "process.once('beforeExit', () => console.error('last'))" },
]

for (const { what, before = '', does } of LAST_WORK) {
  test(`the process ends no sooner than by itself: ${what}`, async (t) => {
    const source = `import { spawn } from 'node:child_process'
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      import { gzip } from 'node:zlib'
      ${before}
      ${atTheEnd(`setImmediate(() => { ${does} })`)}`
    const end = await millrace(t, 'run', moduleOf(t, source), '--quiet')
    assert.match(end.stderr, /^last$/m)
    assert.equal(end.code, 0)
  })
}

const SET_CODES = [
  { when: 'during the run', does: 'process.exitCode = 5' },
  {
    when: 'in its last turn',
    does: `const fail = async () => { for (let n = 0; n < 400; n++) await 0; process.exitCode = 5 }
      setImmediate(() => { fail() })`,
  },
  {
    when: 'in a timer of its own, with another that keeps the process alive',
    does: `setInterval(() => {}, 1_000)
      const begun = performance.now()
      setInterval(() => { if (performance.now() - begun > 40) process.exitCode = 5 }, 1)`,
  },
]

for (const { when, does } of SET_CODES) {
  test(`an exit code that the module sets stays: ${when}`, async (t) => {
    const end = await millrace(t, 'run', moduleOf(t, atTheEnd(does)), '--quiet')
    assert.equal(end.code, 5)
  })
}

test('an exit code that the module sets does not hide that the run failed', async (t) => {
  const fails = "process.exitCode = 5; throw new Error('no')"
  const end = await millrace(t, 'run', moduleOf(t, atTheEnd(fails)), '--quiet')
  assert.equal(end.code, 1)
})

test('what a stage in a process prints is all there, to its last words', async (t) => {
  const says = `{ open: () => [],
    process: (n, seen) => { seen.push(n); process.stdout.write('x'.repeat(300_000) + '\\n') },
    flush: (seen) => { for (let n = 1; n <= 20_000; n++) { console.log('row ' + n); console.error('row ' + n) } } }`
  const source = `export default definePipeline(import.meta.url, () => pipeline('p')
    .source('numbers', () => [1, 2, 3]).sink('say', ${says}, { on: 'process' }))`
  const end = await millrace(t, 'run', moduleOf(t, source), '--quiet')
  const rows = Array.from({ length: 20_000 }, (_, at) => `row ${at + 1}\n`).join('')
  assert.ok(end.stderr === rows, `${end.stderr.length} of ${rows.length}`)
  const all = `${'x'.repeat(300_000)}\n`.repeat(3) + rows
  assert.ok(end.stdout === all, `${end.stdout.length} of ${all.length}`)
  assert.equal(end.code, 0)
})

test('a stage in a process may write to its descriptors itself', async (t) => {
  const says = `(n) => {
      writeSync(1, 'x'.repeat(1_000_000) + '\\n')
      console.log('line ' + n)
    }`
  const source = `import { writeSync } from 'node:fs'
    export default definePipeline(import.meta.url, () => pipeline('p')
      .source('numbers', [1, 2, 3]).sink('say', ${says}, { on: 'process' }))`
  const end = await millrace(t, 'run', moduleOf(t, source), '--quiet')
  const all = [1, 2, 3].map((n) => `${'x'.repeat(1_000_000)}\nline ${n}\n`).join('')
  assert.ok(end.stdout === all, `${end.stdout.length} of ${all.length}`)
  assert.deepEqual([end.code, end.stderr], [0, ''])
})

const LOADS = [
  {
    what: 'awaits for ever',
    source: 'await new Promise(() => {})\nexport default 1',
    says: /a\.mjs never finished loading: it awaits something that never comes$/,
  },
  {
    what: 'builds for ever',
    source: 'export default () => new Promise(() => {})',
    says: /a\.mjs never finished loading: it awaits something that never comes$/,
  },
  {
    what: 'ends the process',
    source: 'process.exit(0)',
    says: /a\.mjs ended the process \(process\.exit\) while it was being loaded$/,
  },
]

for (const { what, source, says } of LOADS) {
  test(`a module that ${what} is told, exit code 2`, async (t) => {
    const file = moduleOf(t, source)
    const [plain, json, graph] = await Promise.all([
      millrace(t, 'run', file),
      millrace(t, 'run', file, '--json'),
      millrace(t, 'graph', file),
    ])
    for (const end of [plain, json, graph]) {
      assert.match(end.stderr, /^millrace: .*\ncode: MILLRACE_MODULE_FAILED\nadvice: .*\n$/)
      assert.match(end.stderr.slice('millrace: '.length).split('\n', 1)[0], says)
      assert.equal(end.code, 2)
    }
    assert.deepEqual([plain.stdout, graph.stdout], ['', ''])
    const { schema, code, message } = errorOf(json.stdout)
    assert.deepEqual([schema, code], ['millrace.error/1', 'MILLRACE_MODULE_FAILED'])
    assert.match(message, says)
  })
}

const INVALID = [
  { args: [fixture('no-sink.ts')], code: 'MILLRACE_NO_SINK', message: /pipeline "open" has no sink/ },
  { args: ['nowhere.ts'], code: 'MILLRACE_MODULE_NOT_FOUND', message: /there is no file/ },
  {
    args: [fixture('ticks.ts'), '--nope'],
    code: 'MILLRACE_UNKNOWN_OPTION',
    message: /unknown option "nope"/,
  },
  { args: ['--deadline-ms', 'x', 'a.ts'], code: 'MILLRACE_USAGE', message: /--deadline-ms must be/ },
]

for (const { args, code, message } of INVALID) {
  test(`with --json what is invalid is one line of JSON: ${code}`, async (t) => {
    const end = await millrace(t, 'run', ...args, '--json')
    const error = errorOf(end.stdout)
    assert.deepEqual([error.schema, error.code], ['millrace.error/1', code])
    assert.match(error.message, message)
    assert.match(end.stderr, message)
    assert.equal(end.stdout.split('\n').length, 2)
    assert.equal(end.code, 2)
  })
}

test('--json after -- is an option of the pipeline', async (t) => {
  const { stdout } = await millrace(t, 'run', '--deadline-ms', 'x', 'a.ts', '--', '--json')
  assert.equal(stdout, '')
})

test('a report that cannot be written is no success', { skip: !existsSync('/dev/full') }, () => {
  const line = millraceLine(['run', fixture('ticks.ts'), '--items', '0', '--json', '--quiet'])
  const { status, stderr } = spawnSync('/bin/sh', ['-c', `exec "$@" > /dev/full`, 'sh', ...line], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.equal(stderr, 'millrace: the JSON could not be written to stdout\n')
  assert.equal(status, 1)
})

test('a report that nobody reads is no success', async (t) => {
  const command = new Command(t, ['run', fixture('ticks.ts'), '--items', '0', '--json', '--quiet'])
  command.child.stdout.destroy()
  const { code, stderr } = await command.end
  assert.equal(stderr, 'millrace: the JSON could not be written to stdout\n')
  assert.equal(code, 1)
})

interface JsonError {
  schema: string
  code: string
  message: string
}

function errorOf(stdout: string): JsonError {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) as string)
}

test('an error of our own is never a success, however unhandled rejections are taken', () => {
  const program = `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { readFileSync } = fs
    fs.readFileSync = (file, ...more) => {
      if (String(file).endsWith('package.json')) throw new Error('out of reach')
      return readFileSync(file, ...more)
    }
    syncBuiltinESMExports()`
  const preload = `data:text/javascript,${encodeURIComponent(program)}`
  const flags = ['--unhandled-rejections=none', '--import', preload]
  const { status, stderr } = spawnSync(process.execPath, [...flags, ...COMMAND, '--version'], {
    encoding: 'utf8',
  })
  assert.match(stderr, /out of reach/)
  assert.equal(status, 1)
})
