/** Holds a queue and does with it what it is told. See `Actor` in ../threads.ts. */
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { BoundedQueue, type QueueHandle, robustPut, robustPutSync, StopEvent } from '../../../src/index.ts'
import { consume, type GetForm, type PutForm, produce } from '../forms.ts'
import { Gates } from '../gates.ts'
import { fromWire, toWire } from '../threads.ts'

export interface Call {
  id: number
  name: string
  args: unknown[]
}

export type Answer =
  | { id: number; value: unknown }
  | { id: number; error: { code: unknown; message: string; detached?: boolean } }

export type Calls = typeof calls

const port = parentPort!
let queue = workerData.queue === undefined ? undefined : BoundedQueue.from(workerData.queue)
const stop = workerData.stop === undefined ? undefined : StopEvent.from(workerData.stop)
const gates = workerData.gates === undefined ? undefined : new Gates(workerData.gates)

const q = () => queue as BoundedQueue

const calls = {
  take: (handle: QueueHandle) => {
    queue = BoundedQueue.from(handle)
  },
  put: (item: unknown, timeoutMs?: number) => q().put(item, timed(timeoutMs)),
  putSync: (item: unknown, timeoutMs?: number) => q().putSync(item, timed(timeoutMs)),
  tryPut: (item: unknown) => q().tryPut(item),
  get: (timeoutMs?: number) => q().get(timed(timeoutMs)),
  getSync: (timeoutMs?: number) => q().getSync(timed(timeoutMs)),
  tryGet: () => q().tryGet(),
  robustPut: (item: unknown) => robustPut(q(), item, stop ?? q().stop),
  robustPutSync: (item: unknown) => robustPutSync(q(), item, stop ?? q().stop),
  /** Gets an item and puts it into another queue. */
  forward: (to: QueueHandle) => BoundedQueue.from(to).putSync(q().getSync()),
  close: () => q().close(),
  leaveAsConsumer: () => q().leaveAsConsumer(),
  setStop: (level: 'drain' | 'abort') => (stop ?? q().stop).set(level),
  /** The code of the reason for which the stop's signal fires. */
  stopHeard: async () => {
    const { signal } = stop ?? q().stop
    const keepAlive = setInterval(() => {}, 2 ** 30)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    clearInterval(keepAlive)
    return signal.reason.code as string
  },
  produce: (form: PutForm, producer: number, count: number) => produce(q(), form, producer, count),
  consume: (form: GetForm) => consume(q(), form),
  /** Transfers a buffer of so many bytes; whether it was let go. */
  putBuffer: async (bytes: number) => {
    const buffer = new ArrayBuffer(bytes)
    const result = await q().put(buffer, { transfer: [buffer] })
    return { result, bytesLeft: buffer.byteLength }
  },
  countGate: (index: number) => gates?.count(index),
  exit: (code: number): void => process.exit(code),
  throwUncaught: () => {
    setImmediate(() => {
      throw new Error('uncaught, as the test wants it')
    })
  },
  end: () => port.close(),
}

function timed(timeoutMs: number | undefined): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs }
}

port.on('message', async ({ id, name, args }: Call) => {
  try {
    const action = calls[name as keyof Calls] as (...args: unknown[]) => unknown
    answer({ id, value: toWire(await action(...args.map(fromWire))) })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    answer({ id, error: { code, message } })
  }
})

function answer(message: Answer): void {
  port.postMessage(message)
}
