import assert from 'node:assert/strict'
import { once } from 'node:events'
import { QueueMemory } from '../../src/queue/queue-memory.ts'
import type { WriterOptions } from '../../src/queue/queue-writer.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'
import { test } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import { exited, startWorker } from '../support/threads.ts'
import type { OrderTask } from '../support/workers/order-worker.ts'

const ITEMS = 2_000
const COUNTS = [1, 3, 2, 1]
const seed = seedOfRun()
console.log(`MILLRACE_SEED=${seed}`)

const bellOf = (stage: number, index: number) =>
  COUNTS.slice(0, stage).reduce((sum, count) => sum + count, 0) + index
const bellsOf = (stage: number) => Array.from({ length: COUNTS[stage] }, (_, index) => bellOf(stage, index))

/** A -> B (3 workers) -> C (2 workers) -> D, each in a thread; what D got, and what was dropped. */
async function run(
  slack: number,
  overflow: WriterOptions['overflow'],
  dies: number,
): Promise<{ got: number[]; dropped: number }> {
  const random = randomFrom(seed + slack)
  const stop = new StopEvent({ doorbells: 7 })
  for (let bell = 0; bell < 7; bell++) stop.takeDoorbell()
  const queues = [0, 1, 2].map((stage) => {
    const [producers, consumers] = [COUNTS[stage], COUNTS[stage + 1]]
    const shape = {
      name: `${stage}`,
      capacity: Math.max(producers, consumers) + slack,
      capacityBytes: 4096 * 6,
    }
    const bells = { producers: bellsOf(stage), consumers: bellsOf(stage + 1) }
    const memory = QueueMemory.allocate({ ...shape, producers, consumers }, stop, bells)
    for (let index = 0; index < producers; index++) memory.openEnd('producer', index)
    for (let index = 0; index < consumers; index++) memory.openEnd('consumer', index)
    return memory
  })
  const workers = COUNTS.flatMap((count, stage) =>
    Array.from({ length: count }, (_, index) =>
      startWorker('order-worker', {
        input: queues[stage - 1]?.handle,
        upstream: queues
          .slice(0, Math.max(0, stage - 1))
          .map(({ handle }) => handle)
          .reverse(),
        output: queues[stage]?.handle,
        index,
        bell: bellOf(stage, index),
        releases: [1, 2, 3].filter((later) => later > stage).flatMap(bellsOf),
        overflow,
        isClaiming: overflow === 'drop-old',
        items: ITEMS,
        dies,
        seed: Math.floor(random() * 2 ** 31),
      } satisfies OrderTask),
    ),
  )
  const gone = Promise.all(workers.map(exited))
  const [got] = (await once(workers[6], 'message')) as [number[]]
  assert.deepEqual(await gone, new Array(7).fill(0))
  return { got, dropped: queues.reduce((sum, memory) => sum + memory.dropped, 0) }
}

/** What comes of the items when both middle stages make none, one or two of each value. */
function expected(): number[] {
  const fan = (value: number) => (value % 5 === 0 ? [] : value % 7 === 0 ? [value, value] : [value])
  return Array.from({ length: ITEMS }, (_, index) => index + 1)
    .flatMap(fan)
    .flatMap(fan)
}

for (const slack of [0, 3, 20]) {
  test(`threads that make items in parallel give them on in order, with ${slack} places to spare`, async () => {
    const { got } = await run(slack, 'block', 0)
    assert.deepEqual(got, expected())
  })
}

test('so they do when they are replaced at random', async () => {
  const { got } = await run(2, 'block', 0.05)
  assert.deepEqual(got, expected())
})

test('a source that drops the oldest never waits; the rest comes in order, the newest too, and the counts balance', async () => {
  const { got, dropped } = await run(3, 'drop-old', 0)
  assert.deepEqual(
    got,
    [...got].sort((a, b) => a - b),
  )
  assert.equal(new Set(got).size, got.length)
  assert.equal(got.length + dropped, ITEMS)
  assert.equal(got.at(-1), ITEMS)
})
