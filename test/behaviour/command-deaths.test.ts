// Programs that die in the middle of their work, in threads.
import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import programs from '../fixtures/pipelines/programs.ts'
import { untilGone } from '../support/alive.ts'
import { assertBalanced } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

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
