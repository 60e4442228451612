// Workers die at any moment, for any reason; the items do not notice.
import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { start } from '../../src/index.ts'
import countedCrowd from '../fixtures/pipelines/counted-crowd.ts'
import type { CrowdOptions } from '../fixtures/pipelines/crowd.ts'
import { test, watch } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const ITEMS = 200_000
/** While one worker starts, the others get as far as the queues are long. */
const CHAIN: CrowdOptions = { items: ITEMS, stages: 4, workers: 2, capacity: 20_000 }

interface Killer {
  begin(): void
  /** How many it has terminated. */
  stop(): number
}

/** Terminates one of the run's threads every `everyMs`, whatever it is doing. */
function terminateAtRandom(random: () => number, everyMs: number, working: Uint8Array): Killer {
  const workers = new Set<Worker>()
  let terminated = 0
  const onWorker = (worker: Worker): void => {
    workers.add(worker)
    worker.once('exit', () => workers.delete(worker))
  }
  process.on('worker', onWorker)
  const terminateOne = (): void => {
    const victim = [...workers][Math.floor(random() * workers.size)]
    // One that is just starting is let begin: it takes longer than 20 ms, and nothing else would ever happen.
    if (victim === undefined || working[victim.threadId % working.length] === 0) return
    working[victim.threadId % working.length] = 0
    terminated++
    void victim.terminate()
  }
  let timer: NodeJS.Timeout | undefined
  return {
    begin: () => {
      timer ??= setInterval(terminateOne, everyMs)
    },
    stop: () => {
      clearInterval(timer)
      process.off('worker', onWorker)
      return terminated
    },
  }
}

/** @param begun called when everything runs */
async function countInOrder(options: CrowdOptions, begun = (): void => {}): Promise<{ restarts: number }> {
  const seen = new SharedArrayBuffer(8)
  const run = watch(start(countedCrowd, { ...options, seen }))
  run.on('state', (state) => {
    if (state === 'running') begun()
  })
  const report = await run.join()
  assert.deepEqual([...new Int32Array(seen)], [options.items, 0], 'in order, lost, doubled or out of order')
  assert.equal(report.outcome, 'completed')
  return { restarts: report.stages.reduce((sum, stage) => sum + (stage.restarts ?? 0), 0) }
}

const ROUNDS = Number(process.env.MILLRACE_ROUNDS ?? 2)

for (let round = 0; round < ROUNDS; round++) {
  test(`each number comes once and in order, whoever is terminated (${round})`, {
    deadlineMs: 600_000,
  }, async (t) => {
    const seed = seedOfRun() + round
    t.diagnostic(`seed ${seed}`)
    const random = randomFrom(seed)
    const memory = new SharedArrayBuffer(4096)
    const killer = terminateAtRandom(random, 20, new Uint8Array(memory))
    try {
      const options = { ...CHAIN, working: memory, capacity: 20_000 + Math.floor(random() * 20_000) }
      const { restarts } = await countInOrder(options, killer.begin)
      t.diagnostic(`${killer.stop()} terminated, ${restarts} restarts`)
      assert.ok(restarts > 5)
    } finally {
      killer.stop()
    }
  })
}

for (const death of ['exit', 'memory'] as const) {
  for (let round = 0; round < ROUNDS / 2; round++) {
    test(`each number comes once and in order, whoever dies by ${death} (${round})`, {
      deadlineMs: 600_000,
    }, async (t) => {
      // Never a multiple of 31, by which the numbers are multiplied: it would meet none of them.
      const deadlyOneIn = (death === 'exit' ? 20_000 : 50_000) + 10 * (round % 10)
      const { restarts } = await countInOrder({ ...CHAIN, death, deadlyOneIn })
      t.diagnostic(`${restarts} restarts`)
      assert.ok(restarts > 5)
    })
  }
}
