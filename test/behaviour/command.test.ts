// Programs as sources, stages and sinks.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once as onceEnded } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type CommandOptions, command } from '../../src/command.ts'
import type { WireError } from '../../src/errors.ts'
import {
  type Blueprint,
  type Failure,
  MillraceError,
  PipelineError,
  pipeline,
  type Report,
  start,
} from '../../src/index.ts'
import { ANSWER } from '../fixtures/pipelines/programs.ts'
import { untilGone } from '../support/alive.ts'
import { assertBalanced, reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const LOOP = { on: 'loop' } as const
const range = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1))
const lines = (items: Iterable<string>) => pipeline('commands').source('lines', () => items, LOOP)
const sh = (script: string, options: Partial<CommandOptions> = {}) => ({
  ...options,
  program: 'sh',
  args: ['-c', script],
})

async function outputs<Out>(blueprint: Blueprint<never, Out>, settings = {}) {
  const run = watch(start(blueprint, {}, settings))
  const all: Out[] = []
  for await (const output of run) all.push(output as Out)
  const report = await run.join()
  assertBalanced(report)
  return { all, report }
}

async function all(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

async function failureOf(blueprint: Blueprint<never, unknown>) {
  const run = watch(start(blueprint))
  const error = await all(run).then(
    () => run.join(),
    (error: unknown) => error,
  )
  assert.ok(error instanceof PipelineError, `it did not fail: ${error}`)
  assertBalanced(error.report as Report)
  return error.failures[0] as Failure & { error: WireError }
}

test('a program that filters: its outputs in order, its end told by the end of its input', async () => {
  const { all, report } = await outputs(
    lines(range(5000)).stage('grep', command({ program: 'grep', args: ['7$'] }), LOOP),
  )
  assert.deepEqual(
    all,
    range(5000).filter((line) => line.endsWith('7')),
  )
  assert.deepEqual([report.stages[1].in, report.stages[1].done, report.stages[1].out], [5000, 5000, 500])
})

test('a program as source, as stage and as sink, and the arguments are no shell text', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  const file = path.join(directory, 'out; touch hacked $(touch hacked)')
  try {
    const report = await reportOf(
      start(
        pipeline('three')
          .source('seq', command({ program: 'seq', args: ['5000'] }), LOOP)
          .stage('rev', command({ program: 'rev' }), LOOP)
          .sink('write', command({ program: 'dd', args: [`of=${file}`, 'status=none'] }), LOOP),
      ),
    )
    assert.equal(report.outcome, 'completed')
    assert.equal(report.stages[2].done, 5_000)
    assert.equal(
      readFileSync(file, 'utf8'),
      `${range(5_000)
        .map((line) => [...line].reverse().join(''))
        .join('\n')}\n`,
    )
    assert.ok(!existsSync(path.join(directory, 'hacked')) && !existsSync('hacked'))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('outputs come as the program gives them, not with the next item', async () => {
  let give = (): void => {}
  const more = new Promise<void>((resolve) => {
    give = resolve
  })
  async function* slow() {
    yield 'first'
    await more
    yield 'second'
  }
  const run = watch(
    start(
      pipeline('live')
        .source('slow', slow, LOOP)
        .stage('cat', command({ program: 'cat' }), LOOP),
    ),
  )
  const seen: string[] = []
  for await (const line of run) {
    seen.push(line)
    give()
  }
  assert.deepEqual(seen, ['first', 'second'])
})

test('every framing carries what it is for, whatever the sizes', async () => {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251)
  const cat = <F extends CommandOptions['input']>(framing: F) =>
    command({ program: 'cat', input: framing!, output: framing! })
  const through = async (items: unknown[], framing: NonNullable<CommandOptions['input']>) => {
    const blueprint = pipeline('framings')
      .source('items', () => items, LOOP)
      .stage('cat', cat(framing) as never, LOOP)
    return (await outputs(blueprint as Blueprint<never, unknown>)).all
  }
  const objects = [{ a: [1, 'zwei\n'] }, null, 'text', 4.5, [], 'ü'.repeat(100_000)]
  assert.deepEqual(await through(objects, 'ndjson'), objects)
  const blobs = [0, 1, 3, 65_536, 0, 300_000, 7].map(bytes)
  assert.deepEqual(
    (await through(blobs, 'length-prefixed')).map((blob) => Buffer.from(blob as Uint8Array)),
    blobs.map((blob) => Buffer.from(blob)),
  )
  for (const size of [1, 1000, 100_000, 3_000_000]) {
    const frames = Array.from({ length: 20 }, (_, at) => new Uint8Array(size).fill(at))
    const found = (await through(frames, { bytes: size })) as Uint8Array[]
    assert.deepEqual(
      found.map((frame) => [frame.length, frame[0], frame.at(-1)]),
      frames.map((_, at) => [size, at, at]),
    )
  }
  const chunks = (await through(blobs, 'chunks')) as Uint8Array[]
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat(blobs)))
  assert.deepEqual(await through(['a', '', 'ö', 'x'.repeat(200_000)], 'lines'), [
    'a',
    '',
    'ö',
    'x'.repeat(200_000),
  ])
})

test('one to one: each item has its output, several are under way, the order is kept', async () => {
  const { all, report } = await outputs(
    lines(range(1000)).stage('bc', command(sh(ANSWER, { mapping: 'one-to-one' })) as never, {
      ...LOOP,
      concurrency: 50,
    }),
  )
  assert.deepEqual(
    all,
    range(1000).map((line) => `<${line}>`),
  )
  assert.deepEqual([report.stages[1].done, report.stages[1].out], [1000, 1000])
})

test('a program that fails ends the run: status, signal and its last words are told, what it gave before is out', async () => {
  const bad = await failureOf(
    lines(range(3)).stage('bad', command(sh('cat; echo no disk >&2; exit 3') as never), LOOP),
  )
  assert.equal(bad.code, 'MILLRACE_COMMAND_FAILED')
  const said = /^stage "bad" .*: program 'sh' exited with status 3; its words on stderr: no disk$/
  assert.match(bad.message, said)
  assert.equal(bad.error.message, "program 'sh' exited with status 3; its words on stderr:\n  no disk")
  assert.deepEqual([bad.error.fields?.exitCode, bad.error.fields?.stderr], [3, 'no disk\n'])
  const source = await failureOf(pipeline('p').source('bad', command(sh('kill -9 $$') as never), LOOP))
  assert.match(source.message, /source|stage "bad".*was ended by SIGKILL/)
  const sink = await failureOf(lines(range(3)).sink('bad', command(sh('exec 0<&-; exit 1') as never), LOOP))
  assert.match(sink.message, /exited with status 1/)
})

test('an exit status may be declared to be none', async () => {
  const grep = (exitCodes: number[]) =>
    lines(['a']).stage('grep', command({ program: 'grep', args: ['b'], exitCodes }), LOOP)
  assert.deepEqual((await outputs(grep([0, 1]))).all, [])
  assert.match((await failureOf(grep([0]))).message, /exited with status 1/)
})

test('nothing is left of the pipe into frames: of a program that ran, of one that is not there', async () => {
  const { TMPDIR } = process.env
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  process.env.TMPDIR = folder
  try {
    const source = (program: string) => command({ program, args: ['4999'], output: { bytes: 2 } })
    const { all } = await outputs(pipeline('there').source('seq', source('seq'), LOOP))
    assert.equal(all.length, 11_944)
    const failure = await failureOf(pipeline('none').source('none', source('no-such-program'), LOOP))
    assert.match(failure.message, /program 'no-such-program' cannot be started/)
    assert.deepEqual(readdirSync(folder), [])
    // Where it cannot be had, the program's bytes are copied: the path is too long for a socket, there is no folder.
    const long = path.join(folder, 'long'.repeat(25))
    mkdirSync(long)
    process.env.TMPDIR = long
    const far = await outputs(pipeline('there').source('seq', source('seq'), LOOP))
    assert.equal(far.all.length, 11_944)
    assert.deepEqual([readdirSync(folder), readdirSync(long)], [[path.basename(long)], []])
    process.env.TMPDIR = folder
    rmSync(folder, { recursive: true })
    const copied = await outputs(pipeline('there').source('seq', source('seq'), LOOP))
    assert.equal(copied.all.length, 11_944)
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    rmSync(folder, { recursive: true, force: true })
  }
})

test('a program that is not there fails before anything is read', async () => {
  let reads = 0
  const source = () => {
    reads++
    return ['a']
  }
  const failure = await failureOf(
    pipeline('p')
      .source('s', source, LOOP)
      .stage('x', command({ program: 'no-such-program' }), LOOP),
  )
  assert.match(failure.message, /program 'no-such-program' cannot be started: there is none of this name/)
  assert.equal(reads, 0)
})

test('a program that ends before its input does ends the stream, as SENTINEL does', async () => {
  function* forever() {
    for (let number = 1; ; number++) yield String(number)
  }
  const { all, report } = await outputs(
    pipeline('early')
      .source('forever', forever, LOOP)
      .stage('head', command({ program: 'head', args: ['-n', '5'] }), LOOP),
  )
  assert.deepEqual(all, range(5))
  assert.equal(report.outcome, 'completed')
})

for (const output of ['lines', { bytes: 8 }, { bytes: 200_000 }] as const) {
  test(`a slow reader slows down the program: ${JSON.stringify(output)}`, {
    skip: process.platform !== 'linux',
  }, async () => {
    const yes = command({ program: 'sh', args: ['-c', "printf '%7d\\n' $$; exec yes"], output })
    const run = watch(
      start(
        pipeline('slow')
          .source('yes', yes, LOOP)
          .stage('same', (item: string | Uint8Array) => item, { ...LOOP, capacity: 2 }),
      ),
    )
    const outputs = run[Symbol.asyncIterator]()
    const pid = Number.parseInt(String(Buffer.from((await outputs.next()).value as Uint8Array)), 10)
    // It sleeps only when it waits for room in its output.
    await until(() => / S /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    const written = /wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]
    assert.ok(Number(written) < 2 ** 22, `${written} bytes were written, and nobody reads them`)
    // It goes on where it was held.
    for (let item = 0; item < 50; item++)
      assert.match(
        String(Buffer.from((await outputs.next()).value as Uint8Array)).slice(-2),
        /^(y\n|\d\n|\ny|y)$/,
      )
    await outputs.return?.()
    assert.equal((await run.join()).outcome, 'completed')
  })
}

test('what does not fit the framing is told with stage, item and value', async () => {
  const input = await failureOf(lines(['fine', 'two\nlines']).stage('cat', command({ program: 'cat' }), LOOP))
  assert.equal(input.code, 'MILLRACE_BAD_FRAME')
  assert.match(
    input.message,
    /stage "cat" failed at item 2: with input "lines" an item has no newline in it, got 'two\\nlines'/,
  )
  const output = await failureOf(
    lines(['{}', '{"a"']).stage('cat', command({ program: 'cat', output: 'ndjson' }), LOOP),
  )
  assert.match(output.message, /line 2 of its output is no JSON: '\{"a"'/)
  const cut = await failureOf(
    lines(['12345']).stage('cat', command({ program: 'cat', output: { bytes: 4 } }), LOOP),
  )
  assert.match(cut.message, /its output ends 2 bytes after the last whole frame of 4 bytes/)
  const long = await failureOf(
    lines(['12345']).stage('cat', command({ program: 'cat', maxFrameBytes: 4 }), LOOP),
  )
  assert.match(long.message, /cat/)
})

/** Answers each line with itself as JSON, as many together as there are; `odd` as it is, and of `once` the first one. */
const ANSWERS = `
  const seen = process.argv[1]
  const { existsSync, writeFileSync } = require('node:fs')
  const isOdd = (line) => {
    if (line === 'odd') return true
    if (line !== 'once' || existsSync(seen)) return false
    writeFileSync(seen, '')
    return true
  }
  let rest = ''
  process.stdin.on('data', (text) => {
    const lines = (rest + text).split('\\n')
    rest = lines.pop()
    process.stdout.write(lines.map((line) => (isOdd(line) ? line : JSON.stringify({ line })) + '\\n').join(''))
  })`

test('one to one: an item that does not fit while the program is replaced fails alone', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  const told = path.join(folder, 'told')
  try {
    // It goes on after SIGTERM, so it has to be killed: until then others come.
    const deaf = `trap 'echo >"${told}"' TERM; while read -r line; do [ $line = slow ] && sleep 1000; echo "<$line>"; done`
    const body = command(sh(deaf, { mapping: 'one-to-one', killMs: 500 }) as never)
    async function* items() {
      yield* ['a', 'slow']
      await until(() => existsSync(told))
      yield* ['not\nit', 'b', 'c']
    }
    const late = { ...LOOP, concurrency: 8, timeoutMs: 2000, onError: 'skip' } as const
    const source = pipeline('late').source('items', items, LOOP)
    const { all, report } = await outputs(source.stage('deaf', body as never, late))
    assert.deepEqual(
      report.failures.map(({ code, item }) => [code, item]),
      [
        ['MILLRACE_ITEM_TIMEOUT', 2],
        ['MILLRACE_BAD_FRAME', 3],
      ],
    )
    assert.deepEqual(all, ['<a>', '<b>', '<c>'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('one to one: a program that closes its output and lives on is lost', async () => {
  const mute = command(sh('exec >&-; while read -r line; do :; done', { mapping: 'one-to-one' }) as never)
  const run = watch(start(lines(range(2)).stage('mute', mute, { ...LOOP, onError: 'skip' })))
  for await (const _ of run);
  const { failures } = await run.join()
  assert.equal(failures.length, 2)
  for (const { message } of failures)
    assert.match(message, /program 'sh' closed its output while items were to come, and did not end/)
})

test('one to one: on the loop, a program that ends while it has nothing to do is started again for the next item', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  const starts = path.join(folder, 'starts')
  try {
    const started = () => (existsSync(starts) ? readFileSync(starts, 'utf8').trim().split('\n') : [])
    const once = sh(`echo $$ >>"${starts}"; read -r line; echo "<$line>"`, { mapping: 'one-to-one' })
    async function* items() {
      yield 'a'
      await until(() => started().length === 1)
      await untilGone(Number(started()[0]), 1000)
      // Others that begin after its end have ended: so would have another one of it.
      for (let others = 0; others < 5; others++) await onceEnded(spawn('sh', ['-c', 'true']), 'exit')
      assert.equal(started().length, 1)
      yield 'b'
    }
    const source = pipeline('once').source('items', items, LOOP)
    const { all } = await outputs(source.stage('once', command(once as never) as never, LOOP))
    assert.deepEqual(all, ['<a>', '<b>'])
    assert.equal(started().length, 2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

for (const concurrency of [1, 8]) {
  test(`one to one: what is answered with no JSON has failed, and others have their own answers: ${concurrency} in hand`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
    try {
      const args = ['-e', ANSWERS, path.join(folder, 'seen')]
      const body = command({ program: process.execPath, args, output: 'ndjson', mapping: 'one-to-one' })
      const items = ['a', 'odd', 'b', 'c', 'once', 'd', 'odd']
      const retry = { attempts: 2, delayMs: 0 }
      const options = { ...LOOP, concurrency, onError: 'skip', retry } as const
      const { all, report } = await outputs(lines(items).stage('answer', body, options))
      assert.deepEqual(
        all,
        ['a', 'b', 'c', 'once', 'd'].map((line) => ({ line })),
      )
      assertBalanced(report)
      assert.deepEqual(
        report.failures.map(({ code, item }) => [code, item]),
        [
          ['MILLRACE_BAD_FRAME', 2],
          ['MILLRACE_BAD_FRAME', 7],
        ],
      )
      assert.match(report.failures[0].message, /item 2: line \d of its output is no JSON: 'odd'/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

test('options are checked when the command is written; a stream refuses what needs to know its items', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => error instanceof MillraceError && message.test(error.message))
  refused(() => command({ program: '' }), /command: program must be the name or path of a program, got ''/)
  refused(() => command({ program: 'a', args: 'b' as never }), /command: args must be an array of strings/)
  refused(() => command({ program: 'a', input: 'csv' as never }), /command: input must be "lines", "ndjson"/)
  refused(
    () => command({ program: 'a', output: 'chunks', mapping: 'one-to-one' }),
    /command: output must be what says where an output ends: with mapping "one-to-one" it is not "chunks"/,
  )
  refused(() => command({ program: 'a', shell: true } as never), /command: unknown option "shell"/)
})

for (const [option, value] of Object.entries({
  concurrency: 2,
  retry: { attempts: 2 },
  timeoutMs: 5,
  onError: 'skip',
})) {
  test(`${option} is refused on a program that gives what it gives`, async () => {
    const blueprint = lines([]).stage('cat', command({ program: 'cat' }), { ...LOOP, [option]: value })
    await assert.rejects(start(blueprint).join(), (error: PipelineError) => {
      assert.equal(error.code, 'MILLRACE_INVALID_OPTION')
      assert.match(error.message, new RegExp(`^stage "cat": ${option} `))
      return true
    })
  })
}

test('one to one is refused on a source', async () => {
  const answers = command({ program: 'cat', mapping: 'one-to-one' })
  const run = watch(start(pipeline('refused').source('cat', answers as never, LOOP)))
  await assert.rejects(run.join(), (error: PipelineError) => {
    assert.equal(error.code, 'MILLRACE_INVALID_OPTION')
    assert.match(error.message, /^stage "cat": mapping cannot be "one-to-one" on a source/)
    return true
  })
})

test('an abort ends the program and all it has started, by force if it does not heed SIGTERM', async () => {
  const stubborn = sh('trap "" TERM; sleep 1000 & echo $$ $!; while :; do sleep 1; done', { killMs: 50 })
  const run = watch(start(pipeline('abort').source('stubborn', command(stubborn) as never, LOOP)))
  const next = await run[Symbol.asyncIterator]().next()
  const pids = String(next.value).split(' ').map(Number)
  run.abort('enough')
  assert.equal((await run.join()).outcome, 'aborted')
  for (const pid of pids) await untilGone(pid, 200)
})

test('a program that may take for ever after SIGTERM is not killed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  const last = path.join(folder, 'last')
  try {
    const script = `trap 'sleep 0.05; echo said >"${last}"; exit' TERM; echo ready; while :; do sleep 0.01; done`
    const slow = sh(script, { killMs: Number.POSITIVE_INFINITY })
    const run = watch(start(pipeline('abort').source('slow', command(slow) as never, LOOP)))
    assert.equal((await run[Symbol.asyncIterator]().next()).value, 'ready')
    run.abort('enough')
    assert.equal((await run.join()).outcome, 'aborted')
    assert.equal(readFileSync(last, 'utf8'), 'said\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

for (const options of [{}, { retry: { attempts: 3 } }, { timeoutMs: 100_000, onError: 'skip' }] as const) {
  test(`one to one: an abort ends the program, and what it has in hand is abandoned: ${JSON.stringify(options)}`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
    const starts = path.join(folder, 'starts')
    try {
      // It answers one line of those that it has.
      const mute = sh(`echo start >>'${starts}'; read -r line; echo $$; exec sleep 1000`, {
        mapping: 'one-to-one',
      })
      const run = watch(
        start(lines(range(5)).stage('mute', command(mute) as never, { ...LOOP, concurrency: 3, ...options })),
      )
      const next = await run[Symbol.asyncIterator]().next()
      run.abort('enough')
      const report = await run.join()
      assertBalanced(report)
      assert.deepEqual([report.outcome, report.failures], ['aborted', []])
      assert.deepEqual(
        [report.stages[1].done, report.stages[1].abandoned],
        [1, Number(report.stages[1].in) - 1],
      )
      await untilGone(Number(next.value), 200)
      assert.equal(readFileSync(starts, 'utf8'), 'start\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

test('one to one: an abort ends a program that was told the end, and does not end', async () => {
  const staying = sh('read -r line; echo $$; exec sleep 1000', { mapping: 'one-to-one' })
  const run = watch(start(lines(['one']).stage('stay', command(staying) as never, LOOP)))
  const outputs = run[Symbol.asyncIterator]()
  const pid = Number((await outputs.next()).value)
  run.abort('enough')
  const report = await run.join()
  assertBalanced(report)
  assert.deepEqual([report.outcome, report.failures], ['aborted', []])
  await untilGone(pid, 200)
})

const noSessions = process.platform === 'linux' ? false : 'there is no setsid'
/** Leaves one behind that is in no group of the program's and has its stderr; gives its number. */
const DAEMON = `echo $(setsid sh -c 'echo $$; exec sleep 1000 >/dev/null' &)`

test('a program that leaves a daemon behind is over when it has ended, and its words are told', {
  skip: noSessions,
}, async () => {
  let pid = 0
  try {
    const leaving = command(sh(`${DAEMON}; cat`) as never)
    const { all } = await outputs(lines(range(2)).stage('leave', leaving, LOOP))
    pid = Number(all[0])
    assert.deepEqual(all.slice(1), range(2))
  } finally {
    process.kill(pid)
  }
  const failing = command(sh(`${DAEMON}; seq 20000 >&2; exit 3`) as never)
  const run = watch(start(pipeline('daemon').source('fail', failing, LOOP)))
  try {
    for await (const line of run) pid = Number(line)
    await run.join()
    assert.fail('it did not fail')
  } catch (error) {
    const [failure] = (error as PipelineError).failures as { error?: WireError }[]
    assert.match(
      failure.error?.message ?? '',
      /exited with status 3; its last words on stderr:\n(?:.|\n)*\n {2}20000$/,
    )
  } finally {
    process.kill(pid)
  }
})

test('a drain ends a program that has left a daemon behind', { skip: noSessions }, async () => {
  const endless = command(sh(`${DAEMON}; exec yes`) as never)
  const run = watch(start(pipeline('daemon').source('left', endless, LOOP)))
  let pid = 0
  try {
    for await (const line of run) {
      pid ||= Number(line)
      run.drain()
    }
    assert.equal((await run.join()).outcome, 'drained')
  } finally {
    process.kill(pid)
  }
})

/** Gives back four bytes at a time, and ends in the middle of what it gives for some. */
const DYING_WITHIN = command({
  ...sh(
    'while x=$(head -c 4) && [ -n "$x" ]; do case $x in bad*) printf ba; exit 9;; esac; printf %s "$x"; done',
  ),
  input: { bytes: 4 },
  output: { bytes: 4 },
  mapping: 'one-to-one',
})

test('one to one: a program that dies within an output is one that died, and the other items are answered', async () => {
  const items = ['aaaa', 'bad!', 'cccc', 'dddd']
  const { all, report } = await outputs(
    pipeline('cut')
      .source('items', () => items.map((item) => Buffer.from(item)), LOOP)
      .stage('pairs', DYING_WITHIN as never, { ...LOOP, onError: 'skip' } as never),
  )
  assert.deepEqual(
    all.map((item) => String(Buffer.from(item as Uint8Array))),
    ['aaaa', 'cccc', 'dddd'],
  )
  assert.match(report.failures[0].message, /program 'sh' exited with status 9 before it had given outputs/)
})

test('one to one: so it is when the program is known to have ended before its output is', async () => {
  const destroy = net.Socket.prototype._destroy
  const delayed: Promise<void>[] = []
  net.Socket.prototype._destroy = function (error, done) {
    const later = new Promise<void>((resolve) => setTimeout(resolve, 100))
    delayed.push(later.then(() => destroy.call(this, error, done)))
  }
  try {
    const { all, report } = await outputs(
      pipeline('cut')
        .source('items', () => ['aaaa', 'bad!', 'cccc'].map((item) => Buffer.from(item)), LOOP)
        .stage('pairs', DYING_WITHIN as never, { ...LOOP, onError: 'skip' } as never),
    )
    assert.equal(all.length, 2)
    assert.match(report.failures[0].message, /program 'sh' exited with status 9 before it had given outputs/)
    // The run need not wait for the sockets that it has no more use for.
    await Promise.all(delayed)
  } finally {
    net.Socket.prototype._destroy = destroy
  }
})

test('one to one: the memory of an output that is not passed on is used again', async () => {
  const frames = Array.from({ length: 300 }, (_, at) => new Uint8Array(16_384).fill(at))
  const cat = command({
    program: 'cat',
    mapping: 'one-to-one',
    input: 'length-prefixed',
    output: 'length-prefixed',
  })
  const { all, report } = await outputs(
    pipeline('frames')
      .source('frames', () => frames, LOOP)
      .stage('cat', cat as never, { ...LOOP, concurrency: 4, slabBytes: 2 ** 20 } as never)
      .map((frame) => (frame as Uint8Array)[7]),
  )
  assert.deepEqual(
    all,
    frames.map(([first]) => first),
  )
  const { slabs } = report.stages[1]
  assert.deepEqual([slabs?.allocated, slabs?.copied, slabs?.held], [300, 0, 0])
})

test('one to one: an item that takes too long fails, those after it are answered by another program', async () => {
  const hanging = 'while read -r line; do [ $line = 5 ] && sleep 1000; echo "<$line>"; done'
  const { all, report } = await outputs(
    lines(range(12)).stage('hang', command(sh(hanging, { mapping: 'one-to-one', killMs: 50 })) as never, {
      ...LOOP,
      concurrency: 3,
      timeoutMs: 1000,
      onError: 'skip',
    }),
  )
  assert.ok(report.stages[1].failed <= 3, `${report.stages[1].failed} failed`)
  assert.ok(all.includes('<12>' as never) && !all.includes('<5>' as never), String(all))
})
