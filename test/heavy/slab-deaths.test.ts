// Frames in slabs while workers die at any moment: each comes once, in order, with its bytes as they were.
import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { type Report, start } from '../../src/index.ts'
import frames, { type FramesOptions } from '../fixtures/pipelines/slab-frames.ts'
import { test, watch } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const FRAMES = Number(process.env.MILLRACE_FRAMES ?? 3_000)
const CHAIN: FramesOptions = {
  frames: FRAMES,
  bytes: 2 ** 17 + 4096,
  stages: 3,
  workers: 2,
  // While one worker starts, the others get as far as the queues are long.
  capacity: 200,
  restart: { limit: 1_000_000, delayMs: 0 },
}

/** Terminates one of the run's working threads every so many frames that arrive; how many it has terminated. */
function killer(random: () => number, working: Uint8Array): { strike(): void; stop(): number } {
  const workers = new Set<Worker>()
  let terminated = 0
  const onWorker = (worker: Worker): void => {
    workers.add(worker)
    worker.once('exit', () => workers.delete(worker))
  }
  process.on('worker', onWorker)
  return {
    strike: () => {
      // The source is not restarted; it never says that it works.
      const victims = [...workers].filter(({ threadId }) => working[threadId % working.length] === 1)
      const victim = victims[Math.floor(random() * victims.length)]
      if (victim === undefined) return
      working[victim.threadId % working.length] = 0
      terminated++
      void victim.terminate()
    },
    stop: () => {
      process.off('worker', onWorker)
      return terminated
    },
  }
}

function assertNoneLeft({ stages }: Report): void {
  for (const { name, slabs } of stages) {
    if (slabs !== undefined) assert.deepEqual([slabs.inUse, slabs.held], [0, 0], name)
  }
}

for (const makesNew of [false, true]) {
  // With plenty of slabs, and with so few that their makers wait for them.
  for (const slabBytes of [2 ** 28, 2 ** 20]) {
    const what = `${makesNew ? 'each stage makes its own' : 'passed on'}, ${slabBytes / 2 ** 20} MiB`
    test(`each frame comes once, whole and in order, whoever is terminated (${what})`, {
      deadlineMs: 240_000,
    }, async (t) => {
      const seed = seedOfRun()
      t.diagnostic(`seed ${seed}`)
      const random = randomFrom(seed)
      const memory = new SharedArrayBuffer(4096)
      const killing = killer(random, new Uint8Array(memory))
      try {
        const run = watch(start(frames, { ...CHAIN, makesNew, slabBytes, working: memory }))
        let expected = 1
        for await (const { n } of run) {
          assert.equal(n, expected, 'lost, doubled or out of order')
          expected++
          if (random() < 0.02) killing.strike()
        }
        const report = await run.join()
        assert.equal(expected - 1, FRAMES)
        assertNoneLeft(report)
        const restarts = report.stages.reduce((sum, stage) => sum + stage.restarts, 0)
        t.diagnostic(`${killing.stop()} terminated, ${restarts} restarts`)
        t.diagnostic(JSON.stringify(report.stages.map(({ slabs }) => slabs)))
        assert.ok(restarts > 5)
      } finally {
        killing.stop()
      }
    })
  }
}
