// Processes and programs of a run that are killed, stopped, or left alone by their parent.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { start } from '../../src/index.ts'
import frames, { FRAME_BYTES } from '../fixtures/pipelines/frames.ts'
import { isAlive, untilGone } from '../support/alive.ts'
import { assertBalanced } from '../support/balance.ts'
import { fixture, millraceLine } from '../support/command.ts'
import { test, watch } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'
import { spawnInTerminal } from '../support/pty.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const FRAMES = 4000
const KILLS = 10

test(`SIGKILL of its process ${KILLS} times in a run: each frame is in the output once, in order`, {
  deadlineMs: 300_000,
}, async () => {
  const random = randomFrom(seedOfRun())
  const run = watch(start(frames, { frames: FRAMES }, { startMs: 60_000 }))
  let expected = 1
  let kills = 0
  let killAt = 100
  for await (const frame of run) {
    const { number, pid, bytes } = frame as { number: number; pid: number; bytes: Uint8Array }
    assert.equal(number, expected++)
    assert.equal(bytes.length, FRAME_BYTES)
    assert.ok(bytes.every((byte) => byte === number % 256))
    if (number < killAt || kills === KILLS || !isAlive(pid)) continue
    // At a moment of its own: most likely in the middle of a frame.
    process.kill(pid, 'SIGKILL')
    kills++
    killAt = number + 200 + Math.floor(random() * 100)
  }
  const report = await run.join()
  assertBalanced(report)
  assert.deepEqual([report.outcome, expected - 1, kills], ['completed', FRAMES, KILLS])
  assert.ok(report.stages[1].restarts >= KILLS)
})

test('SIGSTOP of its process: the watchdog says so; with timeoutMs it is replaced', {
  deadlineMs: 120_000,
}, async () => {
  const run = watch(start(frames, { frames: 300, options: { stuckAfterMs: 300 } }, { startMs: 60_000 }))
  let pid = 0
  let isStopped = false
  let told = 0
  run.on('stuck', ({ stage, item }) => {
    // On a busy machine it may take its time without having been stopped.
    if (!isStopped) return
    isStopped = false
    told++
    assert.equal(stage, 'work')
    assert.ok(item > 0)
    process.kill(pid, 'SIGCONT')
  })
  let count = 0
  for await (const frame of run) {
    ;({ pid } = frame as { pid: number })
    if (++count !== 20) continue
    isStopped = true
    process.kill(pid, 'SIGSTOP')
  }
  assert.equal(told, 1)
  assert.equal(count, 300)
  assert.equal((await run.join()).stages[1].restarts, 0)

  const timed = watch(
    start(frames, { frames: 300, options: { timeoutMs: 1000, onError: 'skip' } }, { startMs: 60_000 }),
  )
  const pids = new Set<number>()
  for await (const frame of timed) {
    const { number, pid } = frame as { number: number; pid: number }
    pids.add(pid)
    if (number === 20) process.kill(pid, 'SIGSTOP')
  }
  const report = await timed.join()
  assert.equal(report.stages[1].failed, 1)
  assert.equal(pids.size, 2)
  for (const one of pids) await untilGone(one, 1000)
})

/** The command line on a fixture, and the processes that it tells of. */
async function started(
  child: ReturnType<typeof spawn>,
  pids: number,
): Promise<{ found: number[]; text: () => string }> {
  let text = ''
  const find = () => [...text.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
  child.stdout?.on('data', (chunk) => (text += chunk))
  child.stderr?.on('data', (chunk) => (text += chunk))
  while (find().length < pids || !/^5\r?$/m.test(text))
    await once(child.stdout as NodeJS.EventEmitter, 'data')
  return { found: find(), text: () => text }
}

for (const busy of [false, true]) {
  test(`kill -9 of the parent${busy ? ' while its process is in an endless loop' : ''}: within a second no child of it is alive`, {
    deadlineMs: 60_000,
  }, async () => {
    const args = busy ? ['--busy'] : []
    const [program, ...rest] = millraceLine(['run', fixture('with-process.ts'), ...args])
    const child = spawn(program, rest, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    const pids = () => [...text.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
    const line = busy ? /^2$/m : /^5$/m
    while (pids().length < 2 || !line.test(text)) await once(child.stdout, 'data')
    for (const pid of pids()) assert.ok(isAlive(pid))
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    for (const pid of pids()) await untilGone(pid, 1000)
    await closed
  })
}

test('Ctrl-C in a terminal reaches the parent alone: everything read is finished', {
  deadlineMs: 60_000,
}, async () => {
  const child = spawnInTerminal(millraceLine(['run', fixture('with-process.ts'), '--json']), ROOT)
  const { found, text } = await started(child, 2)
  child.stdin.write('\x03')
  const [code] = await once(child, 'close')
  assert.equal(code, 130)
  const report = JSON.parse(/^\{.*"outcome".*\}\r?$/m.exec(text())?.[0] ?? text())
  assert.equal(report.outcome, 'drained')
  assertBalanced(report)
  const [ticks] = report.stages
  assert.equal(report.stages.at(-1).done, ticks.out + 1)
  for (const pid of found) await untilGone(pid, 1000)
})
