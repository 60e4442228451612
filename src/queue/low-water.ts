/** How far a source is done: the oldest of its items that is still under way. */
import type { LaneView } from './lane.ts'
import { DONE, PARKED, type QueueMemory } from './queue-memory.ts'

interface WatchedLane {
  view: LaneView
  memory: QueueMemory
  consumer: number
}

/** How the queues follow each other, by their places. */
export interface Ways {
  /** Those that the source fills. */
  first: readonly number[]
  /** For each, those that are filled by who reads it; none: a sink reads it. */
  next: readonly (readonly number[])[]
}

/**
 * Looks through the queues in the direction of the data. An item is published downstream before it is given back
 * upstream, so one that moves on meanwhile is met further down; it cannot be missed.
 *
 * What lies before a reader that has left lies there for ever. Where another way from the source to a sink is open, that
 * is a branch which ended early, and its items are done with, like those that are dropped. Where none is, the stream
 * ended early, and they are not.
 */
export class LowWater {
  readonly #queues: readonly (readonly WatchedLane[])[]
  readonly #lanes: readonly WatchedLane[]
  readonly #source: number
  readonly #ways: Ways

  /** @param queues all that the source's items pass, each after those that lead to it */
  constructor(queues: readonly QueueMemory[], source: number, ways: Ways) {
    this.#queues = queues.map(lanesOf)
    this.#lanes = this.#queues.flat()
    this.#source = source
    this.#ways = ways
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

  /** Whether there is a way to a sink on which everyone still takes items, or has had all of them. */
  get goesOn(): boolean {
    return this.#ways.first.some((queue) => this.#isOpen(queue))
  }

  #isOpen(queue: number): boolean {
    const lanes = this.#queues[queue]
    if (!lanes.some(isRead) && !lanes.every(({ view }) => view.headOrder() === 'end')) return false
    const next = this.#ways.next[queue]
    return next.length === 0 || next.some((after) => this.#isOpen(after))
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
