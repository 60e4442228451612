/** What the watchdog takes for too long, by a clock that the test moves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocateCounters, HELD, OUT, RUNNING, WorkerCounters } from '../../src/observe/counters.ts'
import type { PipelineStage } from '../../src/run/stage.ts'
import type { StageWorker } from '../../src/run/stage-worker.ts'
import { type StuckItem, Watchdog } from '../../src/run/watchdog.ts'
import { turn } from '../support/turn.ts'

interface Limits {
  timeoutMs?: number
  stuckAfterMs?: number
}

/** A stage of one worker, which runs; and what the watchdog said of it. */
function watch(limits: Limits, host: 'thread' | 'loop' = 'loop') {
  const counters = new WorkerCounters(allocateCounters(1), 0)
  counters.life = RUNNING
  const worker = { number: 0, counters, restarts: 0, state: 'running', isBeingReplaced: false }
  const queue = { from: 'before', to: 'work', level: 3, capacity: 4 }
  const stage = { name: 'work', host, plan: limits, workerList: [worker], inputs: [queue], outputs: [] }
  const stuck: StuckItem[] = []
  const late: number[] = []
  const dog = new Watchdog(
    [stage as unknown as PipelineStage],
    10,
    {
      late: (_, replaced: StageWorker, timeoutMs) => {
        assert.equal(replaced, worker as unknown as StageWorker)
        late.push(timeoutMs)
        worker.isBeingReplaced = true
      },
      unstoppable: () => {},
      stuck: (item) => stuck.push(item),
    },
    0,
  )
  return { dog, counters, worker, stuck, late }
}

test('it looks four times per limit, not more often than every 5 ms, and at least every 15 s', () => {
  assert.equal(watch({ stuckAfterMs: 1000 }).dog.tickMs, 250)
  assert.equal(watch({ stuckAfterMs: 1000, timeoutMs: 100 }).dog.tickMs, 25)
  assert.equal(watch({ timeoutMs: 1 }).dog.tickMs, 5)
  assert.equal(watch({ stuckAfterMs: 600_000 }).dog.tickMs, 15_000)
  assert.equal(watch({}).dog.tickMs, undefined)
})

test('an item that stays in hand is told of once, with the queues around it', async () => {
  const { dog, counters, stuck } = watch({ stuckAfterMs: 400 })
  counters.take(5, 77)
  for (let nowMs = 100; nowMs <= 1500; nowMs += 100) dog.tick(nowMs)
  await turn()
  assert.deepEqual(stuck, [
    {
      stage: 'work',
      worker: 0,
      item: 77,
      sinceMs: 400,
      queues: [{ from: 'before', to: 'work', level: 3, capacity: 4 }],
    },
  ])
  assert.equal(dog.stuck.length, 1)
  counters.count(OUT)
  assert.equal(dog.stuck.length, 0)
})

test('a worker that gets on is never stuck, however long it is at it', async () => {
  const { dog, counters, stuck } = watch({ stuckAfterMs: 400 })
  for (let nowMs = 100; nowMs < 5000; nowMs += 100) {
    counters.take(nowMs, nowMs)
    dog.tick(nowMs)
    if (nowMs % 300 === 0) counters.count(OUT)
  }
  await turn()
  assert.deepEqual(stuck, [])
})

test('waiting is not working: for an item, for room, for leave to begin', async () => {
  const { dog, counters, stuck, late } = watch({ stuckAfterMs: 400, timeoutMs: 400 }, 'thread')
  for (let nowMs = 100; nowMs < 2000; nowMs += 100) dog.tick(nowMs)
  counters.take(5, 5)
  counters.phase = HELD
  for (let nowMs = 2000; nowMs < 4000; nowMs += 100) dog.tick(nowMs)
  await turn()
  assert.deepEqual([stuck, late], [[], []])
})

test('a worker over timeoutMs is replaced once, and not before its own timer has had its chance', () => {
  const { dog, counters, late } = watch({ timeoutMs: 400 }, 'thread')
  counters.take(5, 77)
  for (let nowMs = 100; nowMs <= 500; nowMs += 100) dog.tick(nowMs)
  assert.deepEqual(late, [])
  for (let nowMs = 600; nowMs <= 2000; nowMs += 100) dog.tick(nowMs)
  assert.deepEqual(late, [400])
  dog.stop()
})

test('what runs on the loop cannot be replaced', () => {
  const { dog, counters, late } = watch({ timeoutMs: 400 })
  counters.take(5, 77)
  for (let nowMs = 100; nowMs <= 2000; nowMs += 100) dog.tick(nowMs)
  assert.deepEqual(late, [])
})

test('each try of an item has its own time', () => {
  const { dog, counters, late } = watch({ timeoutMs: 400 }, 'thread')
  counters.take(5, 77)
  for (let nowMs = 100; nowMs <= 2000; nowMs += 100) {
    counters.attempt = Math.ceil(nowMs / 300)
    dog.tick(nowMs)
  }
  assert.deepEqual(late, [])
})

test('a tick that comes late itself proves nothing: the time that it lost does not count', async () => {
  const { dog, counters, stuck } = watch({ stuckAfterMs: 400 })
  counters.take(5, 77)
  dog.tick(100)
  dog.tick(200)
  // The process was stopped for an hour.
  dog.tick(3_600_000)
  dog.tick(3_600_100)
  await turn()
  assert.deepEqual(stuck, [])
  dog.tick(3_600_200)
  dog.tick(3_600_300)
  await turn()
  assert.equal(stuck.length, 1)
})
