import assert from 'node:assert/strict'
import { once } from 'node:events'
import { BoundedQueue } from '../../src/index.ts'
import { test, watch } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import type { StressTask } from '../support/stress-item.ts'
import { exited, startWorker } from '../support/threads.ts'
import { turn } from '../support/turn.ts'

const ITEMS = 30_000
/** With more threads than cores every hand-over takes a turn of the scheduler. */
const ITEMS_UNDER_LOAD = 4_000
const seed = seedOfRun()
console.log(`MILLRACE_SEED=${seed}`)

/** Looks at the queue without pause until the end, and so keeps one core busy; a spinning thread keeps the other. */
async function underLoad(queue: BoundedQueue, isOver: () => boolean): Promise<void> {
  const halt = new Int32Array(new SharedArrayBuffer(4))
  const spinner = exited(startWorker('spinner', halt.buffer))
  try {
    while (!isOver()) {
      const { level, peak, capacity } = queue
      assert.ok(level >= 0 && level <= capacity, `level ${level}`)
      assert.ok(peak <= capacity, `peak ${peak}`)
      await turn()
    }
  } finally {
    Atomics.store(halt, 0, 1)
    await spinner
  }
}

interface Case {
  /** Producers and consumers. */
  ends: [number, number]
  capacity: number
  capacityBytes: number
  items: number
  isLoaded: boolean
}

async function run({ ends, capacity, capacityBytes, items: total, isLoaded }: Case): Promise<void> {
  const [producers, consumers] = ends
  const queue = watch(new BoundedQueue({ capacity, capacityBytes, producers, consumers }))
  const random = randomFrom(seed + capacity)
  const items = Math.floor(total / producers)
  const task = { queue: queue.handle, items, producers }
  const start = (role: StressTask['role'], index: number) =>
    startWorker('stress-worker', {
      ...task,
      role,
      index,
      seed: Math.floor(random() * 2 ** 31),
    } satisfies StressTask)
  const getting = Array.from({ length: consumers }, (_, index) => start('consumer', index))
  const putting = Array.from({ length: producers }, (_, index) => start('producer', index))
  const gone = Promise.all([...putting, ...getting].map(exited))
  const got = Promise.all(getting.map(async (worker) => (await once(worker, 'message'))[0] as number[][]))
  got.catch(() => {})
  let isOver = false
  void gone.then(() => {
    isOver = true
  })
  if (isLoaded) await underLoad(queue, () => isOver)
  assert.deepEqual(await gone, new Array(producers + consumers).fill(0))
  assert.deepEqual([queue.level, queue.passed], [0, items * producers])
  checkAll(await got, producers, items)
}

/** Everything once, in order at each consumer. */
function checkAll(got: number[][][], producers: number, items: number): void {
  for (let producer = 0; producer < producers; producer++) {
    const seen = new Uint8Array(items)
    for (const each of got) {
      let last = -1
      for (const number of each[producer]) {
        assert.ok(number > last, `${number} of producer ${producer} came after ${last}`)
        last = number
        seen[number]++
      }
    }
    const wrong = seen.findIndex((times) => times !== 1)
    assert.equal(wrong, -1, `item ${wrong} of producer ${producer} came ${seen[wrong]} times`)
  }
}

const CASES: Case[] = []
for (const capacity of [1, 2, 3, 8]) {
  const ends: [number, number] = capacity === 1 ? [1, 1] : [2, 2]
  const shape = { ends, capacity, capacityBytes: 64 * 1024 }
  CASES.push(
    { ...shape, items: ITEMS, isLoaded: false },
    { ...shape, items: ITEMS_UNDER_LOAD, isLoaded: true },
  )
}
// Each lane holds 1,000 bytes: an item or a few.
CASES.push({ ends: [2, 2], capacity: 8, capacityBytes: 4_000, items: ITEMS, isLoaded: false })

for (const each of CASES) {
  const [producers, consumers] = each.ends
  const size = `${each.capacity} items or ${each.capacityBytes} bytes`
  const load = each.isLoaded ? ', on cores that are busy' : ''
  test(
    `${producers} producers and ${consumers} consumers lose and double nothing in ${size}${load}`,
    {
      deadlineMs: 120_000,
    },
    () => run(each),
  )
}
