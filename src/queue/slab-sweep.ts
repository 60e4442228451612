/**
 * Which slabs of a worker are in use: those that a record refers to which has not been given back.
 *
 * Ownership. A worker passes a slab on by putting a record that refers to it. From then on the slab belongs to the
 * record: to whoever has the record in hand, and to nobody when it is given back. A reader that passes it on again puts
 * its own record first and gives the old one back second, as it does with every output. So at each instant a slab
 * that anyone may read is named by a record in some lane, or is in the hand of the worker that made it.
 *
 * The look. The worker that made the slabs goes through the lanes that they can come to, in the direction of the data.
 * A slab that moves on meanwhile was named further down before it was given back further up, so it is met there; it
 * cannot be missed (as in low-water.ts and order-floor.ts). Nobody adds slabs meanwhile, since only this worker
 * could. What it meets may have been given back an instant later: then it stays in use until the next sweep.
 *
 * Deaths. A record outlives the worker that had it in hand, and with it what it refers to: the next life reads the same
 * bytes. A record that was not published names nothing, and a record that was given back once is not given back again.
 * So a worker may die anywhere, and no slab is lost, doubled, or freed under a reader.
 *
 * A consumer that has left for good reads no more: what lies in its lanes keeps no slab.
 */
import type { LaneView } from './lane.ts'
import { DONE, type QueueMemory } from './queue-memory.ts'

export class SlabSweep {
  readonly #queues: readonly { memory: QueueMemory; lanes: readonly LaneView[][] }[]

  /** @param queues those that the slabs can come to, each after those that lead to it */
  constructor(queues: readonly QueueMemory[]) {
    this.#queues = queues.map((memory) => ({ memory, lanes: lanesByConsumer(memory) }))
  }

  /** Adds `start, units` of each slab of the pool that is in use; false: any may be. */
  collect(pool: number, into: number[]): boolean {
    const found = (start: number, units: number): boolean => {
      into.push(start, units)
      return false
    }
    for (const { memory, lanes } of this.#queues) {
      for (let consumer = 0; consumer < lanes.length; consumer++) {
        if (memory.state('consumer', consumer) >= DONE) continue
        for (const lane of lanes[consumer]) if (lane.eachSlab(pool, found) === 'all') return false
      }
    }
    return true
  }
}

function lanesByConsumer(memory: QueueMemory): LaneView[][] {
  return Array.from({ length: memory.consumers }, (_, consumer) =>
    Array.from({ length: memory.producers }, (_, producer) => memory.laneView(producer, consumer)),
  )
}
