/**
 * Tells the queues known in this thread when another thread ends, so that nobody waits for the dead.
 *
 * A thread that is terminated runs no code of its own any more; but the thread that created it gets the
 * Worker's 'exit'. Node's 'worker' event makes that work without the user passing us the Worker. A thread that
 * ends by itself also says so, for queues its creator does not know.
 */
import process from 'node:process'
import type { Worker } from 'node:worker_threads'
import { threadId } from 'node:worker_threads'
import type { QueueMemory } from './queue-memory.ts'

const known = new Map<string, WeakRef<QueueMemory>>()
const forgotten = new FinalizationRegistry<string>((id) => {
  if (known.get(id)?.deref() === undefined) known.delete(id)
})
let isWatching = false

/** From now on the queue learns of every thread that this thread creates and that ends. */
export function watchThreads(memory: QueueMemory): void {
  known.set(memory.id, new WeakRef(memory))
  forgotten.register(memory, memory.id)
  if (isWatching) return
  isWatching = true
  process.on('worker', (worker: Worker) => {
    const id = worker.threadId
    worker.once('exit', () => threadEnded(id))
  })
  // In a worker this runs at its natural end and at process.exit(), not when it is terminated.
  process.once('exit', () => threadEnded(threadId))
}

/** Marks every end that the thread holds, of the queues known here, as gone. */
export function threadEnded(id: number): void {
  for (const ref of known.values()) ref.deref()?.markThreadGone(id)
}
