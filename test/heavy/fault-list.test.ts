// Every fault of the list in docs/reliability.md, with what must come of it. Those that may take the process have one of their own.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type MillraceErrorCode, PipelineError, type Report, start } from '../../src/index.ts'
import mischief, { type Way } from '../fixtures/pipelines/mischief.ts'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'
import { until } from '../support/turn.ts'

const PIPELINE = path.join(ROOT, '.built/test/fixtures/pipelines/mischief.js')
const MILLRACE = path.join(ROOT, 'dist/cli/main.js')
/** Nothing of all this may hang. */
const LATEST_MS = 60_000

async function reportOf(run: ReturnType<typeof start>): Promise<Report> {
  return run.join().catch((error: unknown) => {
    assert.ok(error instanceof PipelineError, String(error))
    return error.report as Report
  })
}

function assertConserved({ stages }: Report): void {
  for (const { name, in: taken, done, dropped, failed, abandoned, inDoubt } of stages) {
    if (taken !== undefined)
      assert.equal(taken, done + dropped + failed + abandoned + inDoubt, `stage "${name}"`)
  }
}

/** In the same process: the run fails, says where and why, and every item has its outcome. */
const CONTAINED: { how: Way; code: MillraceErrorCode; says: RegExp }[] = [
  { how: 'throw', code: 'MILLRACE_STAGE_FAILED', says: /TypeError: asked to throw/ },
  { how: 'reject', code: 'MILLRACE_STAGE_FAILED', says: /asked to reject/ },
  { how: 'throw-text', code: 'MILLRACE_STAGE_FAILED', says: /just text/ },
  { how: 'exit-0', code: 'MILLRACE_WORKER_DIED', says: /exit/ },
  { how: 'exit-1', code: 'MILLRACE_WORKER_DIED', says: /exit/ },
  { how: 'heap-array', code: 'MILLRACE_WORKER_OUT_OF_MEMORY', says: /memory/ },
  { how: 'stack', code: 'MILLRACE_STAGE_FAILED', says: /Maximum call stack/ },
  { how: 'detached', code: 'MILLRACE_NOT_CLONEABLE', says: /detached/ },
  { how: 'function', code: 'MILLRACE_NOT_CLONEABLE', says: /function/ },
  { how: 'huge', code: 'MILLRACE_ITEM_TOO_LARGE', says: /bytes/ },
]

for (const { how, code, says } of CONTAINED) {
  test(`${how}: the run fails with ${code} and names the stage and the item`, {
    deadlineMs: LATEST_MS,
  }, async () => {
    const report = await reportOf(start(mischief, { how }))
    assert.equal(report.outcome, 'failed')
    const [failure] = report.failures
    assert.deepEqual([failure.code, failure.stage, failure.item], [code, 'faulty', 5])
    assert.match(`${failure.message} ${failure.error?.message}`, says)
    assertConserved(report)
    assert.equal(report.stages[2].done, 4)
  })
}

test('terminate from outside: the run fails and says which thread ended', {
  deadlineMs: LATEST_MS,
}, async () => {
  const run = start(mischief, { items: 1e9 })
  await until(() => run.stages[2]?.counters !== undefined && run.stages[2].counters.settled > 100)
  run.stages[1].life.triggerTerminate()
  const report = await reportOf(run)
  assert.deepEqual([report.outcome, report.failures[0].code], ['failed', 'MILLRACE_WORKER_DIED'])
  assertConserved(report)
})

test('an endless loop: an abort ends it in its deadline', { deadlineMs: LATEST_MS }, async () => {
  const run = start(mischief, { how: 'loop' }, { abortMs: 50 })
  await until(() => run.stages[1]?.counters?.inHand === 5)
  run.abort()
  const report = await reportOf(run)
  assert.deepEqual([report.outcome, report.failures[0].code], ['aborted', 'MILLRACE_WORKER_TERMINATED'])
  assertConserved(report)
})

test('an endless loop with timeoutMs: the thread is replaced or the run fails, and the item is named', {
  deadlineMs: LATEST_MS,
}, async () => {
  const report = await reportOf(start(mischief, { how: 'loop', timeout: 200 }))
  assert.deepEqual([report.outcome, report.failures[0].item], ['failed', 5])
  assert.equal(report.failures[0].code, 'MILLRACE_ITEM_TIMEOUT')
})

interface ChildEnd {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  report: Report | undefined
}

class Child {
  readonly child
  readonly end: Promise<ChildEnd>
  stdout = ''

  /** @param before what is put before the command: limits, other libraries */
  constructor(t: TestContext, args: string[], before: string[] = [], env: NodeJS.ProcessEnv = {}) {
    const [file, ...rest] = [...before, process.execPath, MILLRACE, 'run', PIPELINE, '--json', ...args]
    this.child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    t.after(() => this.child.kill('SIGKILL'))
    const stderr = text(this.child.stderr)
    this.child.stdout.setEncoding('utf8').on('data', (chunk) => (this.stdout += chunk))
    this.end = once(this.child, 'close').then(async ([code, signal]) => {
      return { code, signal, stdout: this.stdout, stderr: await stderr, report: lastReport(this.stdout) }
    })
  }

  async prints(lines: number): Promise<void> {
    await until(() => this.stdout.split('\n').length > lines || this.child.exitCode !== null)
  }

  /** The item that does harm is in hand. */
  async misbehaves(): Promise<void> {
    await until(() => this.stdout.includes('misbehaves\n') || this.child.exitCode !== null)
  }
}

function lastReport(stdout: string): Report | undefined {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  return line.startsWith('{"schema":"millrace.report') ? JSON.parse(line) : undefined
}

test('a loop that V8 does not leave: two signals end the process all the same', {
  deadlineMs: LATEST_MS,
}, async (t) => {
  const child = new Child(t, ['--how', 'parse-loop', '--print', '--deadline-ms', '100'])
  await child.misbehaves()
  child.child.kill('SIGINT')
  child.child.kill('SIGINT')
  const { code, signal, report, stderr } = await child.end
  assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}\n${stderr}`)
  assert.match(report?.failures[0].code ?? '', /MILLRACE_WORKER_(TERMINATED|STUCK)/)
  assert.equal(report?.failures[0].stage, 'faulty')
})

test('a read that blocks in the system: two signals end the process, and the report names the stage', {
  deadlineMs: LATEST_MS,
  skip: process.platform === 'win32' ? 'no FIFOs' : false,
}, async (t) => {
  const folder = temporary(t)
  const fifo = path.join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const child = new Child(t, ['--how', 'read-fifo', '--fifo', fifo, '--print', '--deadline-ms', '100'])
  await child.misbehaves()
  child.child.kill('SIGINT')
  child.child.kill('SIGINT')
  const { code, signal, report, stderr } = await child.end
  assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}\n${stderr}`)
  const { code: failed, stage } = report?.failures[0] ?? {}
  assert.deepEqual([failed, stage], ['MILLRACE_WORKER_STUCK', 'faulty'])
})

test('a Map that grows without end: it takes the whole process on some versions of Node, and never hangs', {
  deadlineMs: LATEST_MS,
}, async (t) => {
  const { code, signal, report, stderr } = await new Child(t, ['--how', 'heap-map']).end
  if (report !== undefined) assert.equal(report.failures[0].code, 'MILLRACE_WORKER_OUT_OF_MEMORY')
  else assert.ok(code === 134 || signal === 'SIGABRT', `${code} ${signal}\n${stderr}`)
  assert.notEqual(code, 0)
})

const MEMORY_GROUPS = '/sys/fs/cgroup/memory'
test('buffers without end, in a control group: the system kills the process, and nothing hangs', {
  deadlineMs: LATEST_MS,
  skip: mayMakeGroups(MEMORY_GROUPS) ? false : 'no control groups of memory that may be made here',
}, async (t) => {
  const join = group(t, MEMORY_GROUPS, 'memory.limit_in_bytes', `${300 * 2 ** 20}`)
  const { code, signal, report } = await new Child(t, ['--how', 'buffers'], join).end
  // An allocation may be refused before the system kills: then it is an error of the stage like any other.
  if (report !== undefined) assert.equal(report.failures[0].stage, 'faulty')
  else assert.ok(code === 137 || signal === 'SIGKILL', `${code} ${signal}`)
})

function assertCouldNotStart(report: Report | undefined, why: RegExp, stderr: string): void {
  assert.equal(report?.outcome, 'failed', stderr)
  assert.match(report?.failures.map(({ message }) => message).join('\n') ?? '', why)
  // Nothing was read before every worker was there.
  assert.equal(report?.stages[0].out, 0)
}

const PROCESS_GROUPS = '/sys/fs/cgroup/pids'
test('no more threads may be started (EAGAIN): the run fails and says so', {
  deadlineMs: LATEST_MS,
  skip: mayMakeGroups(PROCESS_GROUPS) ? false : 'no control groups of processes that may be made here',
}, async (t) => {
  const join = group(t, PROCESS_GROUPS, 'pids.max', '14')
  const { code, stderr, report } = await new Child(t, ['--workers', '16'], join).end
  assert.equal(code, 1)
  assertCouldNotStart(report, /EAGAIN/, stderr)
})

test('no more files may be opened (EMFILE): the run fails and says so', {
  deadlineMs: LATEST_MS,
  skip: process.platform === 'win32' ? 'no ulimit' : false,
}, async (t) => {
  const before = ['sh', '-c', 'ulimit -n 40; exec "$@"', 'sh']
  const { code, stderr, report } = await new Child(t, ['--workers', '16'], before).end
  assert.equal(code, 1)
  assertCouldNotStart(report, /EMFILE/, stderr)
})

test('SIGSTOP and SIGCONT of the process: nobody is taken for hung', { deadlineMs: LATEST_MS }, async (t) => {
  const child = new Child(t, ['--items', '60', '--spin', '20', '--timeout', '600', '--print'])
  await child.prints(3)
  child.child.kill('SIGSTOP')
  // How long it stands still is what is tested.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  child.child.kill('SIGCONT')
  const { code, report } = await child.end
  assert.deepEqual(
    [code, report?.outcome, report?.stages[1].restarts, report?.stages[2].done],
    [0, 'completed', 0, 60],
  )
})

const FAKETIME = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file))
test('the clock jumps a day ahead and back: no deadline is touched', {
  deadlineMs: LATEST_MS,
  skip: FAKETIME === undefined ? 'no libfaketime' : false,
}, async (t) => {
  const clock = path.join(temporary(t), 'clock')
  writeFileSync(clock, '+0')
  const env = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  const child = new Child(t, ['--items', '60', '--spin', '20', '--timeout', '5000', '--print'], [], env)
  await child.prints(5)
  writeFileSync(clock, '+1d')
  await child.prints(20)
  writeFileSync(clock, '-1d')
  const { code, report, stderr } = await child.end
  assert.deepEqual([code, report?.outcome, report?.stages[2].done], [0, 'completed', 60], stderr)
  assert.deepEqual(report?.overdue, undefined)
})

for (const signals of [1, 2, 3]) {
  test(`SIGINT x ${signals} at a random moment: it ends, and says how`, {
    deadlineMs: LATEST_MS,
  }, async (t) => {
    const child = new Child(t, ['--items', '100000', '--spin', '1', '--print'])
    await child.prints(1 + Math.floor(Math.random() * 200))
    for (let sent = 0; sent < signals; sent++) child.child.kill('SIGINT')
    const { code, signal, report } = await child.end
    assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal}`)
    if (signals < 3) assert.match(report?.outcome ?? '', signals === 1 ? /drained/ : /drained|aborted/)
    if (report !== undefined) assertConserved(report)
  })
}

test('EPIPE: whoever reads the output leaves, and the run ends', { deadlineMs: LATEST_MS }, async (t) => {
  const child = new Child(t, ['--items', '1000000', '--print'])
  await child.prints(10)
  child.child.stdout.destroy()
  const { code, signal } = await child.end
  // The report goes where nobody reads.
  assert.deepEqual([code, signal], [1, null])
})

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-faults-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function mayMakeGroups(hierarchy: string): boolean {
  const probe = `${hierarchy}/millrace-probe-${process.pid}`
  try {
    if (!existsSync(`${hierarchy}/cgroup.procs`)) return false
    mkdirSync(probe)
    rmdirSync(probe)
    return true
  } catch {
    return false
  }
}

/** What to put before a command so that it runs in a group with that limit. */
function group(t: TestContext, hierarchy: string, limit: string, value: string): string[] {
  const folder = `${hierarchy}/millrace-${process.pid}`
  mkdirSync(folder)
  t.after(() => rmdirSync(folder))
  writeFileSync(path.join(folder, limit), value)
  return ['sh', '-c', `echo $$ > ${folder}/cgroup.procs; exec "$@"`, 'sh']
}
