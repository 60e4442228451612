// Stages grow and shrink at random while items flow; nothing is lost, doubled or out of order, whoever dies meanwhile.
import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { start } from '../../src/index.ts'
import resizing, { expectedOf } from '../fixtures/pipelines/resizing.ts'
import { assertBalanced } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const ITEMS = Number(process.env.MILLRACE_ITEMS ?? 20_000)
const ROUNDS = Number(process.env.MILLRACE_ROUNDS ?? 1)
const MAX_WORKERS = 3
/** How long a stage is left as it is at most, in milliseconds. */
const REST_MS = 20
const KILL_EVERY_MS = 100

interface Round {
  items: number
  seed: number
  order: 'input' | 'completion'
  isDeadly: boolean
}

/**
 * Terminates one of the run's threads, now and then, once all of them have worked: else, on a slow machine, nothing but
 * starting would ever happen. Gives how to stop it, which gives how many it was.
 */
function terminateNowAndThen(random: () => number, working: Uint8Array): () => number {
  const workers = new Set<Worker>()
  const onWorker = (worker: Worker): void => {
    workers.add(worker)
    worker.once('exit', () => workers.delete(worker))
  }
  process.on('worker', onWorker)
  let terminated = 0
  const timer = setInterval(() => {
    const all = [...workers]
    if (!all.every(({ threadId }) => working[threadId % working.length] === 1)) return
    const victim = all[Math.floor(random() * all.length)]
    if (victim === undefined) return
    working[victim.threadId % working.length] = 0
    terminated++
    void victim.terminate()
  }, KILL_EVERY_MS)
  return () => {
    clearInterval(timer)
    process.off('worker', onWorker)
    return terminated
  }
}

async function runResized({ items, seed, order, isDeadly }: Round) {
  const random = randomFrom(seed)
  const working = new SharedArrayBuffer(4096)
  const stopKilling = isDeadly ? terminateNowAndThen(random, new Uint8Array(working)) : () => 0
  const capacity = 3 + Math.floor(random() * 2000)
  const run = watch(start(resizing, { items, maxWorkers: MAX_WORKERS, capacity, order, working }))
  let isOver = false
  let changes = 0
  const resize = async (name: string): Promise<void> => {
    const stage = run.stages.find((candidate) => candidate.name === name)
    while (!isOver) {
      await stage?.setWorkers(1 + Math.floor(random() * MAX_WORKERS))
      changes++
      await new Promise((resolve) => setTimeout(resolve, random() * REST_MS))
    }
  }
  const got: number[] = []
  let resizes: Promise<unknown> | undefined
  for await (const number of run) {
    got.push(number)
    resizes ??= Promise.all(['spread', 'pass', 'work'].map(resize))
  }
  isOver = true
  await resizes
  const terminated = stopKilling()
  const report = await run.join()
  assert.equal(report.outcome, 'completed')
  assertBalanced(report)
  if (order === 'completion') got.sort((one, other) => one - other)
  const expected = expectedOf(items)
  const at = expected.findIndex((number, index) => got[index] !== number)
  const around = (numbers: readonly number[]): string => numbers.slice(Math.max(0, at - 3), at + 5).join(' ')
  assert.ok(at < 0, `at ${at}: ${around(got)} in place of ${around(expected)}`)
  assert.equal(got.length, expected.length)
  return { changes, terminated, capacity }
}

for (let round = 0; round < ROUNDS; round++) {
  for (const order of ['input', 'completion'] as const) {
    for (const isDeadly of [false, true]) {
      const meanwhile = isDeadly ? ', while workers are terminated' : ''
      test(`stages grow and shrink at random, order ${order}${meanwhile} (${round})`, {
        deadlineMs: 120_000,
      }, async (t) => {
        const seed = seedOfRun() + round
        t.diagnostic(`seed ${seed}`)
        const items = isDeadly ? ITEMS / 2 : ITEMS
        const { changes, terminated, capacity } = await runResized({ items, seed, order, isDeadly })
        t.diagnostic(`${changes} changes, ${terminated} terminated, capacity ${capacity}`)
        assert.ok(changes > 3)
      })
    }
  }
}
