/** The first Ctrl-C drains, the second aborts, the third ends the process; and it ends even if a thread cannot. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { TestContext } from 'node:test'
import { assertBalanced } from '../support/balance.ts'
import { Command, DEMO, fixture, lastLine } from '../support/command.ts'
import { test } from '../support/harness.ts'

const TICKS = fixture('ticks.ts')

function makeFifo(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const fifo = path.join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  return fifo
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} drains: what was read is finished, exit code ${code}`, async (t) => {
    const command = new Command(t, ['run', TICKS, '--slow-ms', '2', '--json'])
    await command.shows('stdout', 'tick 3\n')
    command.child.kill(signal)
    const end = await command.end
    assert.match(
      end.stderr,
      /^millrace: draining: what was read is finished first \(deadline 30 s\)\. Ctrl-C again to abort\.\n/,
    )
    const report = lastLine(end)
    assert.equal(report.outcome, 'drained')
    assertBalanced(report)
    const read = report.stages[0].out
    assert.equal(report.stages[2].out, read, 'what was read was not finished')
    assert.match(end.stdout, new RegExp(`tick ${read}\n`))
    assert.equal(end.code, code)
  })
}

test('SIGINT drains the demo', async (t) => {
  const command = new Command(t, ['run', DEMO, '--duration', '30', '--json', '--capacity', '4'])
  await command.shows('stdout', '\n')
  command.child.kill('SIGINT')
  const end = await command.end
  assert.equal(lastLine(end).outcome, 'drained')
  assert.equal(end.code, 130)
})

test('the second signal aborts', async (t) => {
  const command = new Command(t, ['run', TICKS, '--slow-ms', '300', '--say-at', '6', '--json'])
  await command.shows('stdout', 'tick 1\n')
  // Five are on their way.
  await command.shows('stderr', 'asked for 6')
  command.child.kill('SIGINT')
  await command.shows('stderr', 'draining')
  command.child.kill('SIGINT')
  const end = await command.end
  assert.match(end.stderr, /\nmillrace: aborting\. Ctrl-C again to exit at once\.\n/)
  const report = lastLine(end)
  assert.equal(report.outcome, 'aborted')
  assertBalanced(report)
  assert.ok(report.stages.some((stage) => stage.abandoned > 0))
  assert.equal(end.code, 130)
})

test('the third signal ends the process at once', async (t) => {
  const command = new Command(t, ['run', TICKS, '--hang-at', '2'])
  await command.shows('stdout', 'tick 2\n')
  command.child.kill('SIGINT')
  await command.shows('stderr', 'draining')
  command.child.kill('SIGINT')
  await command.shows('stderr', 'aborting')
  command.child.kill('SIGINT')
  const end = await command.end
  assert.equal(end.signal, 'SIGINT')
})

test('a drain that takes longer than --deadline-ms becomes an abort', async (t) => {
  const command = new Command(t, [
    ...['run', TICKS, '--slow-ms', '300', '--say-at', '6', '--deadline-ms', '50', '--json'],
  ])
  await command.shows('stdout', 'tick 1\n')
  await command.shows('stderr', 'asked for 6')
  command.child.kill('SIGTERM')
  const end = await command.end
  assert.match(end.stderr, /deadline 0\.05 s/)
  assert.match(end.stderr, /ticks aborted in .*the drain took longer than 50 ms/)
  assert.equal(end.code, 143)
})

test('a run that failed is 1, also after a signal', async (t) => {
  const gate = makeFifo(t)
  const command = new Command(t, ['run', TICKS, '--slow-ms', '60', '--fail-at', '9', '--gate', gate])
  // Opens when the stage that fails has its item in hand: a source that is drained before has not read it.
  const go = await open(gate, 'w')
  command.child.kill('SIGINT')
  await command.shows('stderr', 'draining')
  await go.writeFile('go')
  await go.close()
  const end = await command.end
  assert.match(end.stderr, /failed at item 9/)
  assert.equal(end.code, 1)
})

test('a thread stuck in native code does not keep the process: SIGTERM', async (t) => {
  const command = new Command(t, [
    'run',
    TICKS,
    '--fifo',
    makeFifo(t),
    '--fifo-at',
    '2',
    '--deadline-ms',
    '1',
    '--json',
  ])
  await command.shows('stdout', 'tick 2\n')
  command.child.kill('SIGTERM')
  const end = await command.end
  assert.equal(lastLine(end).failures.at(-1)?.code, 'MILLRACE_WORKER_STUCK')
  assert.match(end.stderr, /code: MILLRACE_WORKER_STUCK/)
  assert.equal(end.signal, 'SIGTERM')
})

test('a thread stuck in native code does not keep the process: failure', async (t) => {
  const [fifo, gate] = [makeFifo(t), makeFifo(t)]
  const args = ['--fifo', fifo, '--fifo-at', '2', '--fail-at', '6', '--gate', gate]
  const command = new Command(t, ['run', TICKS, '--json', ...args])
  await command.shows('stdout', 'tick 2\n')
  await writeFile(gate, 'go')
  const end = await command.end
  const codes = lastLine(end).failures.map((failure) => failure.code)
  assert.deepEqual(codes, ['MILLRACE_STAGE_FAILED', 'MILLRACE_WORKER_STUCK'])
  if ('execve' in process) assert.equal(end.code, 1)
  else {
    assert.match(end.stderr, /the thread of "writer" cannot be ended: this process kills itself/)
    assert.equal(end.signal, 'SIGKILL')
  }
})
