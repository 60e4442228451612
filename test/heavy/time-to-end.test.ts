// How long a run takes to end, from what ends it: Ctrl-C on a command line, a stage that throws, a thread that is terminated.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import { PipelineError, start } from '../../src/index.ts'
import brief from '../fixtures/pipelines/brief.ts'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import { turn } from '../support/turn.ts'

/** Of each cause; for the figures in docs/reliability.md 1,000. */
const RUNS = Number(process.env.MILLRACE_ENDS ?? 25)
/** On any machine, however busy: what is promised is far less. */
const LONGEST_MS = Number(process.env.MILLRACE_LONGEST_MS ?? 1_000)
const PIPELINE = path.join(ROOT, '.built/test/fixtures/pipelines/printed.js')
const MILLRACE = path.join(ROOT, 'dist/cli/main.js')

/** Of its output: it is interrupted anywhere from its first line to a second or so later. */
const OUTPUT_BYTES = 200_000

const random = randomFrom(seedOfRun())

/** Signals a command line at a random line of its output; from there to the exit of the process, but for the printing. */
async function interrupt(): Promise<number> {
  const args = [MILLRACE, 'run', PIPELINE, '--items', '1000000', '--quiet']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const after = random() * OUTPUT_BYTES
  let [seen, sentMs] = [0, 0]
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.length
    if (sentMs > 0 || seen < after) return
    sentMs = performance.now()
    child.kill('SIGINT')
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const isClosed = once(child, 'close')
  const [code] = await once(child, 'exit')
  const ms = performance.now() - sentMs
  await isClosed
  assert.equal(code, 130, errors)
  return ms - printedSince(performance.timeOrigin + sentMs, errors)
}

/** How long the pipeline printed after that time, and told of it, as it has told on stderr. */
function printedSince(sinceMs: number, errors: string): number {
  const [times = '{}', last = '{}'] = errors.split('\n').filter((line) => line.startsWith('{'))
  const { began, took } = JSON.parse(times) as { began: number[]; took: number[] }
  const { saying } = JSON.parse(last) as { saying: number }
  return took.reduce((sum, ms, call) => (began[call] >= sinceMs ? sum + ms : sum), saying)
}

/** From the throw, by the clock that threads share, to the end of the run. */
async function throwAtRandom(): Promise<number> {
  const thrown = new SharedArrayBuffer(8)
  const throwAt = 1 + Math.floor(random() * 2_000)
  const run = start(brief, { how: 'throw', on: 'thread', items: 1e9, throwAt, thrown })
  await run.join().catch((error) => assert.ok(error instanceof PipelineError, String(error)))
  return performance.timeOrigin + performance.now() - new Float64Array(thrown)[0]
}

/** From the call of terminate() to the end of the run. */
async function terminateAtRandom(): Promise<number> {
  const run = start(brief, { how: 'end', on: 'thread', items: 1e9 })
  let fromMs = 0
  run.on('state', async (state) => {
    if (state !== 'running') return
    for (let turns = Math.floor(random() * 50); turns > 0; turns--) await turn()
    fromMs = performance.now()
    run.stages[1].life.triggerTerminate()
  })
  await run.join().catch((error) => assert.ok(error instanceof PipelineError, String(error)))
  return performance.now() - fromMs
}

const CAUSES = { 'Ctrl-C': interrupt, throw: throwAtRandom, terminate: terminateAtRandom }

for (const [cause, run] of Object.entries(CAUSES)) {
  test(`${RUNS} runs ended by ${cause} at a random moment: none takes longer than ${LONGEST_MS} ms to end`, {
    deadlineMs: 1_800_000,
  }, async (t) => {
    const times: number[] = []
    for (let number = 0; number < RUNS; number++) times.push(await run())
    times.sort((one, other) => one - other)
    const at = (share: number) =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(1)
    t.diagnostic(`${cause}: p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} most ${at(1)} ms`)
    assert.ok(times[times.length - 1] <= LONGEST_MS, `${times[times.length - 1]} ms`)
  })
}
