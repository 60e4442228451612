/**
 * Adds and takes away workers of a stage that is running.
 *
 * A worker that is added opens its producer ends first and its consumer ends last: before anything is sent to it, the
 * stages after it wait for its end. One that is taken away gets no more, finishes what it has, and parks its ends.
 */
import type { StageConnections } from './connections.ts'
import { endsOf } from './connections.ts'
import type { StageWorker } from './stage-worker.ts'

type Ends = Pick<StageConnections, 'inputs' | 'outputs' | 'deadLetters'>

/** Resolves when it takes items, or when there is no use for it any more. */
export async function addWorker(worker: StageWorker, connections: Ends): Promise<void> {
  const ends = endsOf(connections, worker.number)
  for (const { queue, role, index } of ends) {
    if (role === 'producer' && !queue.memory.openEnd(role, index)) return
  }
  worker.launch()
  await worker.ready
  if (worker.hasEnded || worker.isAbsent) return
  for (const { queue, role, index } of ends) if (role === 'consumer') queue.memory.openEnd(role, index)
  worker.triggerStart()
}

/** Tells it to finish what it has. Again for each new life of it: a life opens its ends when it begins. */
export function triggerRetire(worker: StageWorker, connections: Ends): void {
  for (const { queue, role, index } of endsOf(connections, worker.number)) {
    if (role === 'consumer') queue.memory.retire(index)
  }
}
