/** How far a source is done: the oldest of its items that is still under way. */
import type { LaneView } from './lane.ts'
import { DONE, PARKED, type QueueMemory } from './queue-memory.ts'

interface WatchedLane {
  view: LaneView
  memory: QueueMemory
  consumer: number
}

/**
 * Looks through the queues in the direction of the data. An item is published downstream before it is given back
 * upstream, so one that moves on meanwhile is met further down; it cannot be missed.
 *
 * What lies before a reader that has left lies there for ever. Where another sink goes on, that is one branch which ended
 * early, and its items are done with, like those that are dropped. Where none does, the run ended early, and they are not.
 */
export class LowWater {
  readonly #lanes: readonly WatchedLane[]
  readonly #sinks: readonly (readonly WatchedLane[])[]
  readonly #source: number

  /**
   * @param queues all that the source's items pass, each after those that lead to it
   * @param sinks those of them that sinks read
   */
  constructor(queues: readonly QueueMemory[], source: number, sinks: readonly QueueMemory[]) {
    this.#lanes = queues.flatMap(lanesOf)
    this.#sinks = sinks.map(lanesOf)
    this.#source = source
  }

  /** Smallest number of an item that is in a queue or in a worker's hand; if there is none, the one after `read`. */
  oldest(read: number): number {
    const goesOn = this.goesOn
    let oldest = read + 1
    for (const { view, memory, consumer } of this.#lanes) {
      // Looked at first: a reader that leaves meanwhile has nothing in hand, and puts nothing out any more.
      if (goesOn && memory.state('consumer', consumer) >= DONE) continue
      const item = view.oldestItem(this.#source)
      if (item < oldest) oldest = item
    }
    return oldest
  }

  /** Whether a sink still takes items, or has had all of them. */
  get goesOn(): boolean {
    return this.#sinks.some(
      (lanes) => lanes.some(isRead) || lanes.every(({ view }) => view.headOrder() === 'end'),
    )
  }
}

function isRead({ memory, consumer }: WatchedLane): boolean {
  const state = memory.state('consumer', consumer)
  return state < DONE && state !== PARKED
}

function lanesOf(memory: QueueMemory): WatchedLane[] {
  return Array.from({ length: memory.producers * memory.consumers }, (_, index) => {
    const [producer, consumer] = [Math.floor(index / memory.consumers), index % memory.consumers]
    return { view: memory.laneView(producer, consumer), memory, consumer }
  })
}
