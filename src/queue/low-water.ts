/** How far a source is done: the oldest of its items that is still under way. */
import type { LaneView } from './lane.ts'
import type { QueueMemory } from './queue-memory.ts'

/**
 * Looks through the queues in the direction of the data. An item is published downstream before it is given back
 * upstream, so one that moves on meanwhile is met further down; it cannot be missed.
 */
export class LowWater {
  readonly #lanes: LaneView[]
  readonly #source: number

  /** @param queues all that the source's items pass, each after those that lead to it */
  constructor(queues: readonly QueueMemory[], source: number) {
    this.#lanes = queues.flatMap(lanesOf)
    this.#source = source
  }

  /** Smallest number of an item that is in a queue or in a worker's hand; if there is none, the one after `read`. */
  oldest(read: number): number {
    let oldest = read + 1
    for (const lane of this.#lanes) {
      const item = lane.oldestItem(this.#source)
      if (item < oldest) oldest = item
    }
    return oldest
  }
}

function lanesOf(memory: QueueMemory): LaneView[] {
  return Array.from({ length: memory.producers * memory.consumers }, (_, index) =>
    memory.laneView(Math.floor(index / memory.consumers), index % memory.consumers),
  )
}
