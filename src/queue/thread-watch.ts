/**
 * Tells the queues known in this thread when another thread ends, so that nobody waits for the dead.
 *
 * A thread that is terminated runs no code of its own any more; but the thread that created it gets the
 * Worker's 'exit'. Node's 'worker' event makes that work without the user passing us the Worker. A thread that
 * ends by itself also says so, for queues its creator does not know.
 *
 * `process` is the global one: importing node:process opens the standard streams, with net or tty.
 */
import type { Worker } from 'node:worker_threads'
import { threadId } from 'node:worker_threads'
import type { QueueMemory } from './queue-memory.ts'

const known = new Map<string, WeakRef<QueueMemory>>()
const forgotten = new FinalizationRegistry<string>((id) => {
  if (known.get(id)?.deref() === undefined) known.delete(id)
})
/** Queues that other threads may use: known here until they are over, also if nobody here uses them any more. */
const shared = new Map<string, QueueMemory>()
/** Threads that this one created and that have not ended. */
let threads = 0
let isWatching = false

// From the first import on: a thread may be older than the first queue.
process.on('worker', (worker: Worker) => {
  const id = worker.threadId
  threads++
  worker.once('exit', () => {
    threads--
    threadEnded(id)
    forgetShared((memory) => threads === 0 || memory.isOver)
  })
})

/** From now on the queue learns of every thread that this thread creates and that ends. */
export function watchThreads(memory: QueueMemory): void {
  known.set(memory.id, new WeakRef(memory))
  forgotten.register(memory, memory.id)
  if (isWatching) return
  isWatching = true
  // In a worker this runs at its natural end and at process.exit(), not when it is terminated.
  process.once('exit', () => threadEnded(threadId))
}

/** From now on another thread may use it, and die, whether this thread does or not. */
export function keepForThreads(memory: QueueMemory): void {
  forgetShared((other) => other.isOver)
  shared.set(memory.id, memory)
}

/** Marks every end that the thread holds, of the queues known here, as gone. */
export function threadEnded(id: number): void {
  for (const ref of known.values()) ref.deref()?.markThreadGone(id)
}

function forgetShared(isDone: (memory: QueueMemory) => boolean): void {
  for (const [id, memory] of shared) if (isDone(memory)) shared.delete(id)
}
