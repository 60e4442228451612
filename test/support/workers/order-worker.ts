/** One worker of the graph of order-stress.test.ts, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { InputReader } from '../../../src/queue/input-reader.ts'
import { type QueueHandle, QueueMemory } from '../../../src/queue/queue-memory.ts'
import { QueueWriter, type WriterOptions } from '../../../src/queue/queue-writer.ts'
import { randomFrom } from '../random.ts'

export interface OrderTask {
  input: QueueHandle | undefined
  upstream: QueueHandle[]
  output: QueueHandle | undefined
  index: number
  bell: number
  releases: number[]
  overflow: WriterOptions['overflow']
  /** The input queue drops its oldest. */
  isClaiming: boolean
  items: number
  /** How often, at each item, reader and writer are replaced by their next life. */
  dies: number
  seed: number
}

const task = workerData as OrderTask
const random = randomFrom(task.seed)
const input = task.input && QueueMemory.from(task.input)
const output = task.output && QueueMemory.from(task.output)
const upstream = task.upstream.map((handle) => QueueMemory.from(handle))
const { stop } = (input ?? output) as QueueMemory
const bell = stop.doorbell(task.bell)
const releaseBells = task.releases.map((index) => stop.doorbell(index))

const makeReader = (memory: QueueMemory) =>
  new InputReader([{ memory, index: task.index, upstream, claiming: task.isClaiming }], {
    bell,
    wakeWriter: 'late',
    releaseBells,
  })

const makeWriter = (memory: QueueMemory) =>
  new QueueWriter(memory, task.index, { overflow: task.overflow, isNumbered: input === undefined })

let writer = output && makeWriter(output)

function put(value: number, item: number, order: number, madeBy: number, part: number): void {
  if (writer === undefined) return
  while (writer.tryPut(value, { item, source: 0, order, madeBy, part }) === 'full')
    bell.waitSync(writer.isReady)
}

function emitAll(): void {
  for (let item = 1; item <= task.items; item++) {
    put(item, item, item, item, 0)
    if (random() < task.dies && output !== undefined) writer = makeWriter(output)
    if (random() < 0.01) for (let spins = random() * 50_000; spins > 0; spins--);
  }
}

/** Each item becomes none, one or two. */
function processAll(memory: QueueMemory): number[] {
  const got: number[] = []
  let reader = makeReader(memory)
  for (;;) {
    const found = reader.poll()
    if (found === 'ended') return got
    if (found === 'empty') {
      bell.waitSync(reader.isReady)
      continue
    }
    const { item, order } = reader
    const ticket = reader.take()
    const value = reader.readTicket(ticket) as number
    const fan = task.isClaiming ? 1 : value % 5 === 0 ? 0 : value % 7 === 0 ? 2 : 1
    if (writer === undefined) got.push(value)
    else for (let part = writer.published(ticket); part < fan; part++) put(value, item, order, ticket, part)
    if (writer !== undefined && !task.isClaiming && random() < task.dies) {
      // The outputs were published, the item was not given back: the next life sees that.
      reader = makeReader(memory)
      writer = makeWriter(output as QueueMemory)
      continue
    }
    reader.release(ticket)
    if (random() < 0.01) for (let spins = random() * 50_000; spins > 0; spins--);
  }
}

const got = input === undefined ? emitAll() : processAll(input)
writer?.putEnd({ item: 0, source: 0, order: 0, madeBy: 0xffffffff, part: 0 })
parentPort?.postMessage(got ?? [])
