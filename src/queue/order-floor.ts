/**
 * The ordered merge: gives what several workers made in parallel the order again in which it was numbered.
 *
 * Orders. One worker, the numbering point, gives each record it publishes the next ORDER (32 bits, compared modulo
 * 2^32). The stages after it, of several workers each, give what they make from a record the ORDER of that record.
 * Each worker takes its records in increasing ORDER and publishes in that order, so each lane is sorted. The reader
 * that merges P lanes takes the smallest ORDER k at their heads, as soon as no other producer can send a smaller one.
 *
 * Nothing travels to tell it so: a record may have become none, or many, and a marker for each that became none
 * would cost what a record costs. The reader looks upstream instead, at what is there anyway. The floor of a worker w is
 * the highest number F such that w has published all it ever will of the orders up to F:
 *
 *   floor(w) = min over the lanes into w:
 *     a record at HEAD (not given back: in hand counts)        its ORDER - 1
 *     SENTINEL at HEAD; or empty, and its producer has left    infinite
 *     empty, filled by the numbering point                     NUMBER
 *     empty, filled by worker v of another stage               floor(v)
 *
 * NUMBER is a word of the queue that the numbering point fills. It stores order - 1 there before it publishes `order`:
 * everything up to there was published, or went elsewhere. So whoever sees a record k, anywhere downstream, finds
 * NUMBER >= k - 1, and k waits only for records that are really under way. Where the queue has one consumer, that one numbers
 * anew what it makes, and nobody looks: it is not stored.
 *
 * Why upstream is read first. All moves while one looks. A record leaves a lane only after what was made from it was
 * published in the next one; it is at each instant in one lane at least, moving downstream. Whoever looked at a lane,
 * saw it empty, and then looked upstream of it, could miss a record that passed between the two looks. In the
 * other direction it cannot: what was not upstream at the first look had been published before it, so it is in the
 * lane at the second look, or it was given back, and then what it became is one lane further. Therefore each empty lane
 * is looked at again after the floor of its producer was taken, the merging reader's own lanes too. A floor, once
 * right, stays right: it only rises, also across the lives of a worker, because what is not given back is at HEAD.
 * So the floors found are kept.
 *
 * Why it cannot deadlock, whatever the capacities. Take the oldest record of the region that is not finished, k, in the hand or
 * at the cursor of w. In all output lanes of w lies nothing older than k, since k is the oldest, and nothing newer,
 * since w publishes in order: they are empty, or hold outputs of k itself, and so w finds room as soon as those are
 * taken. At the merging reader every other producer has a floor >= k - 1, because each record upstream of it is k or
 * newer; so k is taken. Hence k always gets on. (Capacity that producers share would break the argument; each producer
 * has its own share. A reader that keeps records in hand until others come breaks it, too: it must not wait for more
 * than fits.)
 *
 * Why no wake-up is lost. What a waiting reader waits for can change by three things. A record comes: its writer
 * rings. A floor rises because a worker gave a record back: after its store of HEAD it rings, if asleep, every merging
 * reader whose floors may pass through it (`releaseBells`); the reader announced its sleep before it looked, so one
 * of the two sees the other (doorbell.ts). A producer leaves: that rings all. NUMBER needs no ring: it is high enough
 * before the record that waits for it can be seen.
 */
import { type InputLane, ITEM_THERE, NOBODY_THERE, NOTHING_NOW, OVER } from './input-lane.ts'
import type { LaneView } from './lane.ts'
import { DONE, type QueueMemory } from './queue-memory.ts'

const ENDLESS = Number.POSITIVE_INFINITY

/** The floors of the workers that fill one queue: what they publish from now on has a higher order. */
export class OrderFloor {
  readonly #memory: QueueMemory
  /** `#lanes[worker][producer]`: the queue into these workers. */
  readonly #lanes: LaneView[][]
  /** Of the producers of that queue; undefined: the only one is the numbering point. */
  readonly #upstream: OrderFloor | undefined
  /** Per worker: the highest floor found so far, unwrapped. */
  readonly #known: number[]

  /** @param queues the one into these workers, the one before it, and so on to the one that the numbering point fills */
  constructor(queues: readonly QueueMemory[]) {
    const [memory, ...rest] = queues
    this.#memory = memory
    this.#lanes = Array.from({ length: memory.consumers }, (_, worker) =>
      Array.from({ length: memory.producers }, (_, producer) => memory.laneView(producer, worker)),
    )
    this.#upstream = rest.length > 0 ? new OrderFloor(rest) : undefined
    this.#known = new Array(memory.consumers).fill(-ENDLESS)
  }

  /**
   * Whether the worker has published all it ever will of the orders up to `order`; unwrapped, see OrderedMerge.
   * True stays true.
   */
  isAbove(worker: number, order: number): boolean {
    if (this.#known[worker] >= order) return true
    let floor = ENDLESS
    const lanes = this.#lanes[worker]
    for (let producer = 0; producer < lanes.length; producer++) {
      floor = Math.min(floor, this.#floorOf(lanes[producer], producer, order))
      if (floor < order) return false
    }
    this.#known[worker] = floor
    return true
  }

  /** The floor that one lane gives; where it lies below `order`, some number below. */
  #floorOf(lane: LaneView, producer: number, order: number): number {
    const first = lane.headOrder()
    if (first === 'end') return ENDLESS
    if (first !== 'empty') return unwrap(first, order) - 1
    // Its producer first, then the lane again.
    const state = this.#memory.state('producer', producer)
    const upstream = state >= DONE ? ENDLESS : this.#upstreamFloor(producer, order)
    const second = lane.headOrder()
    if (second === 'end') return ENDLESS
    return second === 'empty' ? upstream : unwrap(second, order) - 1
  }

  #upstreamFloor(producer: number, order: number): number {
    if (this.#upstream === undefined) return unwrap(this.#memory.number, order)
    return this.#upstream.isAbove(producer, order) ? this.#upstream.#known[producer] : -ENDLESS
  }
}

/** The order, 32 bits, as a number that does not run over: the one next to `near`. */
function unwrap(order: number, near: number): number {
  return near + ((order - near) | 0)
}

/** The lanes of one sorted queue into this worker, as one. */
export class OrderedMerge {
  readonly #lanes: readonly InputLane[]
  readonly #floor: OrderFloor
  /** The order found last, unwrapped; near it lie all that come. Undefined: nothing came yet. */
  #near: number | undefined
  /** The lane that `look` found a record in. */
  found: InputLane

  constructor(lanes: readonly InputLane[], upstream: readonly QueueMemory[]) {
    this.#lanes = lanes
    this.#floor = new OrderFloor(upstream)
    this.found = lanes[0]
  }

  /** Like `InputLane.look`; a record that is there but not yet next is nothing. */
  look(): number {
    let best = -1
    let order = 0
    let least: number = OVER
    for (let index = 0; index < this.#lanes.length; index++) {
      const seen = this.#lanes[index].look()
      if (seen < least) least = seen
      if (seen !== ITEM_THERE) continue
      const its = this.#orderOf(index)
      if (best < 0 || its < order) {
        best = index
        order = its
      }
    }
    if (best < 0) return least
    for (let index = 0; index < this.#lanes.length; index++) {
      if (index === best) continue
      const lane = this.#lanes[index]
      let seen = lane.look()
      if (seen === NOTHING_NOW || seen === NOBODY_THERE) {
        if (!this.#floor.isAbove(lane.producer, order - 1)) return NOTHING_NOW
        // Now what the floor says was published is seen.
        seen = lane.look()
      }
      if (seen !== ITEM_THERE) continue
      const its = this.#orderOf(index)
      if (its >= order) continue
      // It came meanwhile. The lanes that were found to send nothing below the old order send nothing below this one.
      best = index
      order = its
    }
    this.found = this.#lanes[best]
    this.#near = order
    return ITEM_THERE
  }

  #orderOf(index: number): number {
    const { order } = this.#lanes[index].reader
    this.#near ??= order
    return unwrap(order, this.#near)
  }
}
