/** A thread by itself: what it does does not depend on any schedule. */
import { BoundedQueue } from '../../src/queue/bounded-queue.ts'
import type { QueueHandle } from '../../src/queue/queue-memory.ts'
import { SENTINEL } from '../../src/sentinel.ts'
import type { World } from '../explorer/world.ts'

export function makeQueue(): QueueHandle {
  return new BoundedQueue<number>({ capacity: 2, capacityBytes: 64 }).memory.handle
}

/** Fills the queue and empties it, over its end and over its arena's, and ends it. */
export function oneThread(handle: QueueHandle): void {
  const queue = BoundedQueue.from<number>(handle)
  for (let item = 1; item < 6; item++) {
    queue.tryPut(item)
    queue.tryPut(item + 10)
    queue.tryPut(item + 20)
    queue.tryGet()
    if (item % 2 === 0) queue.tryGet()
  }
  queue.tryPut(SENTINEL)
  while (queue.tryGet() !== SENTINEL) queue.stop.set('drain')
  queue.close()
}

export const ONE_THREAD: World = {
  name: 'one thread',
  about: 'puts and gets in one thread',
  isQuick: true,
  setUp() {
    const handle = makeQueue()
    return [{ name: 'thread', run: () => oneThread(handle) }]
  },
  judge: () => undefined,
}
