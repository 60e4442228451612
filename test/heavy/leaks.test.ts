// 1,000 runs in one process, ended in every way: nothing of them is left.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PipelineError, start } from '../../src/index.ts'
import brief, { type BriefOptions } from '../fixtures/pipelines/brief.ts'
import { test } from '../support/harness.ts'
import { turn } from '../support/turn.ts'

const RUNS = Number(process.env.MILLRACE_RUNS ?? 1000)
const WARM_UP = 50
/** One run in so many has a thread: those take ten times as long. */
const THREAD_ONE_IN = Number(process.env.MILLRACE_THREAD_ONE_IN ?? 5)
/** What V8's heap and the allocator may keep more or less of, from one moment to the next. */
const RSS_NOISE_BYTES = 32 * 2 ** 20
const WAYS = ['end', 'throw', 'exit', 'sentinel', 'drain', 'abort', 'terminate'] as const

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

interface State {
  threads: number
  fds: number
  resources: number
  listeners: number
  /** Shared memory of runs that is still referred to. */
  sharedBytes: number
  rssBytes: number
}

async function look(): Promise<State> {
  // What has ended gets the turns that its last callbacks need; array buffers are swept beside the program.
  for (let round = 0; round < 3; round++) {
    await turn()
    collectGarbage()
  }
  const status = readFileSync('/proc/self/status', 'utf8')
  return {
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
    fds: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    sharedBytes: process.memoryUsage().arrayBuffers,
    rssBytes: process.memoryUsage.rss(),
  }
}

async function runOnce(number: number): Promise<void> {
  const way = WAYS[number % WAYS.length]
  const isThread = number % THREAD_ONE_IN === 0
  const how: BriefOptions['how'] =
    way === 'drain' || way === 'abort' || way === 'terminate' || (way === 'exit' && !isThread) ? 'end' : way
  const isStopped = way === 'drain' || way === 'abort' || way === 'terminate'
  const options: BriefOptions = {
    how,
    on: isThread ? 'thread' : 'loop',
    ...(isStopped ? { items: 1e9 } : {}),
  }
  const run = start(brief, options)
  if (isStopped) {
    run.on('state', (state) => {
      if (state !== 'running') return
      if (way === 'drain') run.drain()
      else if (way === 'abort' || !isThread) run.abort()
      else run.stages[1].life.triggerTerminate()
    })
  }
  await run.join().catch((error) => assert.ok(error instanceof PipelineError, String(error)))
}

test(`${RUNS} runs leave no thread, handle, file descriptor or shared memory; memory is flat`, {
  deadlineMs: 600_000,
  skip: process.platform === 'linux' ? false : 'reads /proc',
}, async (t) => {
  const seen: (State & { run: number })[] = []
  let warm: State | undefined
  for (let run = 1; run <= RUNS; run++) {
    await runOnce(run)
    if (run === WARM_UP) warm = await look()
    if (run % Math.max(WARM_UP, RUNS / 10) === 0) seen.push({ run, ...(await look()) })
  }
  for (const state of seen) t.diagnostic(JSON.stringify(state))
  const last = seen.at(-1)
  assert.ok(warm !== undefined && last !== undefined)
  for (const what of ['threads', 'fds', 'resources', 'listeners'] as const) {
    assert.ok(
      last[what] <= warm[what],
      `${what}: ${warm[what]} after ${WARM_UP} runs, ${last[what]} at the end`,
    )
  }
  assert.ok(last.sharedBytes < 256 * 2 ** 20, `${last.sharedBytes} bytes of shared memory are referred to`)
  const grown = last.rssBytes - warm.rssBytes
  assert.ok(grown < RSS_NOISE_BYTES, `${grown} bytes more in memory than after ${WARM_UP} runs`)
})
