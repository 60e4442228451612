// Programs that die in the middle of their work, in threads.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { start } from '../../src/index.ts'
import endlessProgram from '../fixtures/pipelines/endless-program.ts'
import noPython from '../fixtures/pipelines/no-python.ts'
import programs from '../fixtures/pipelines/programs.ts'
import { untilGone } from '../support/alive.ts'
import { assertBalanced, reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const range = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1))

test('one to one in a thread: a program that dies is started again with what it had in hand, nothing is lost or doubled', {
  deadlineMs: 50_000,
}, async () => {
  // It dies at its 7th line, whatever it is.
  const mortal = 'n=0; while read -r line; do n=$((n+1)); [ $n = 7 ] && kill -9 $$; echo "<$line>"; done'
  const run = watch(
    start(programs, {
      items: 14,
      pairs: mortal,
      options: { concurrency: 4, restart: { limit: 100, delayMs: 0 }, poisonAfter: 5 },
    }),
  )
  const all: string[] = []
  for await (const line of run) all.push(line)
  const report = await run.join()
  assert.deepEqual(
    all,
    range(14).map((line) => `<${line}>`),
  )
  assert.ok(report.stages[1].restarts >= 2, `${report.stages[1].restarts} restarts`)
  assertBalanced(report)
})

test('one to one in a thread: an abort ends the program, and what it has in hand is abandoned', async () => {
  const mute = 'read -r line; echo $$; exec sleep 1000'
  const params = { items: 5, pairs: mute, options: { concurrency: 3 } }
  // A thread that does not leave by itself is not ended before the test is.
  const run = watch(start(programs, params, { abortMs: 100_000 }))
  const next = await run[Symbol.asyncIterator]().next()
  run.abort('enough')
  const report = await run.join()
  assertBalanced(report)
  assert.deepEqual([report.outcome, report.failures, report.stages[1].restarts], ['aborted', [], 0])
  await untilGone(Number(next.value), 200)
})

test('Python that does not start in a thread is not started again', {
  skip: spawnSync('python3', ['--version']).status === 0 ? false : 'there is no python3',
}, async () => {
  const report = await reportOf(start(noPython, {}))
  assert.deepEqual([report.outcome, report.stages[1].restarts], ['failed', 0])
  assert.deepEqual(
    report.failures.map(({ code }) => code),
    ['MILLRACE_COMMAND_FAILED'],
  )
})

/** Children of this process: number and state. */
function children(): Map<number, string> {
  const found = new Map<number, string>()
  for (const pid of readdirSync('/proc').map(Number)) {
    if (Number.isNaN(pid)) continue
    try {
      const [state, parent] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ')
      if (Number(parent) === process.pid) found.set(pid, state)
    } catch {
      // It has ended meanwhile.
    }
  }
  return found
}

test('no zombies are left of runs that were left in their middle', {
  skip: process.platform !== 'linux',
}, async () => {
  const before = children()
  for (let turn = 0; turn < 5; turn++) {
    const run = watch(start(endlessProgram, {}))
    for await (const _ of run) break
    await run.join()
  }
  const left = () => [...children()].filter(([pid]) => !before.has(pid))
  await until(() => left().every(([, state]) => state === 'Z'))
  assert.deepEqual(left(), [])
})
