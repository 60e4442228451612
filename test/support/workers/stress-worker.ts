/** One producer or consumer of queue-stress.test.ts, in whatever mix of forms its seed says. */
import { parentPort, workerData } from 'node:worker_threads'
import { BoundedQueue, SENTINEL } from '../../../src/index.ts'
import { GET_FORMS, getAs, PUT_FORMS, putAs } from '../forms.ts'
import { randomFrom } from '../random.ts'
import { checksumOf, makeItem, type StressItem, type StressTask } from '../stress-item.ts'
import { turn } from '../turn.ts'

const task = workerData as StressTask
const queue = BoundedQueue.from<StressItem>(task.queue) as BoundedQueue
const random = randomFrom(task.seed)

/** Now and then a thread is late. */
async function dawdle(): Promise<void> {
  const chance = random()
  if (chance < 0.001) await turn()
  else if (chance < 0.01) for (let spins = random() * 2_000; spins > 0; spins--);
}

async function produce(): Promise<void> {
  for (let number = 0; number < task.items; number++) {
    const form = PUT_FORMS[Math.floor(random() * PUT_FORMS.length)]
    const result = await putAs(queue, form, makeItem(task.index, number, random))
    if (result !== 'ok') throw new Error(`a put gave ${result}`)
    await dawdle()
  }
  await queue.put(SENTINEL)
}

async function consume(): Promise<void> {
  const got: number[][] = Array.from({ length: task.producers }, () => [])
  for (;;) {
    const item = await getAs(queue, GET_FORMS[Math.floor(random() * GET_FORMS.length)])
    if (item === SENTINEL) break
    const [producer, number, payload, checksum] = item as StressItem
    if (checksumOf(producer, number, payload) !== checksum)
      throw new Error(`item ${producer}/${number} is torn`)
    got[producer].push(number)
    await dawdle()
  }
  parentPort?.postMessage(got)
}

await (task.role === 'producer' ? produce() : consume())
