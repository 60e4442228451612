/**
 * A -> B (several workers) -> C (several) -> D by hand: whoever calls decides who makes the next step, and who dies.
 *
 * A worker that cannot move announces its sleep on its bell, looks once more, and then moves only after it was rung:
 * a wake-up that is lost shows.
 */

import { InputReader } from '../../src/queue/input-reader.ts'
import type { LaneView } from '../../src/queue/lane.ts'
import { QueueMemory } from '../../src/queue/queue-memory.ts'
import { QueueWriter, type WriterOptions } from '../../src/queue/queue-writer.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'

const BELL_WORDS = 16
const ASLEEP = 1

export interface GraphShape {
  items: number
  /** Workers of each stage between the first and the last. */
  middle: number[]
  /** Of each queue. */
  capacities: number[]
  overflow: NonNullable<WriterOptions['overflow']>[]
  /** The first order minus one. */
  firstOrder: number
  /** Records that a worker takes ahead. */
  ahead: number
  /** How many outputs a stage makes of a value. */
  fan: (stage: number, value: number[]) => number
}

export type Value = number[]

export class SmallGraph {
  readonly shape: GraphShape
  readonly workers: GraphWorker[] = []
  readonly queues: QueueMemory[]
  readonly received: Value[] = []
  readonly bells: Int32Array
  /** The source has no more for now, and does not yet say that this was all. */
  isPaused = true

  constructor(shape: GraphShape) {
    this.shape = shape
    const counts = [1, ...shape.middle, 1]
    const total = counts.reduce((sum, count) => sum + count, 0)
    const stop = new StopEvent({ doorbells: total })
    this.bells = new Int32Array(stop.handle.board)
    for (let bell = 0; bell < total; bell++) stop.takeDoorbell()
    const firstBell = (stage: number) => counts.slice(0, stage).reduce((sum, count) => sum + count, 0)
    const bellsOf = (stage: number) =>
      Array.from({ length: counts[stage] }, (_, index) => firstBell(stage) + index)
    this.queues = shape.capacities.map((capacity, stage) => {
      const [producers, consumers] = [counts[stage], counts[stage + 1]]
      const limits = { capacity, capacityBytes: 1024 * producers * consumers }
      const bells = { producers: bellsOf(stage), consumers: bellsOf(stage + 1) }
      const memory = QueueMemory.allocate({ name: `${stage}`, ...limits, producers, consumers }, stop, bells)
      for (let index = 0; index < producers; index++) memory.openEnd('producer', index)
      for (let index = 0; index < consumers; index++) memory.openEnd('consumer', index)
      return memory
    })
    if (shape.firstOrder !== 0) this.queues[0].storeNumber(shape.firstOrder)
    for (let stage = 0; stage < counts.length; stage++) {
      for (let index = 0; index < counts[stage]; index++) {
        const releases = counts.flatMap((_, later) => (later > stage ? bellsOf(later) : []))
        this.workers.push(new GraphWorker(this, stage, index, firstBell(stage) + index, releases, stop))
      }
    }
  }

  get isDone(): boolean {
    return this.workers.every((worker) => worker.isDone)
  }

  /** Those that may move: not done, and not asleep. */
  get awake(): GraphWorker[] {
    return this.workers.filter((worker) => !worker.isDone && !worker.isAsleep)
  }

  get isEmpty(): boolean {
    return this.queues.every((memory) => lanesOf(memory).every((lane) => lane.level === 0))
  }

  resume(): void {
    this.isPaused = false
    this.workers[0].wake()
  }

  /** What should arrive, in order, if nothing is dropped. */
  expected(): Value[] {
    let values: Value[] = Array.from({ length: this.shape.items }, (_, index) => [index + 1])
    for (let stage = 1; stage <= this.shape.middle.length; stage++) {
      values = values.flatMap((value) =>
        Array.from({ length: this.shape.fan(stage, value) }, (_, part) => [...value, part]),
      )
    }
    return values
  }

  explain(): string {
    const workers = this.workers.map(
      ({ stage, index, isDone, isAsleep }) =>
        `${stage}.${index}${isDone ? ' done' : isAsleep ? ' asleep' : ''}`,
    )
    const lanes = this.queues.map((memory, queue) => {
      const levels = lanesOf(memory).map((lane) => `${lane.level}@${lane.headOrder()}`)
      return `queue ${queue}: ${levels.join(' ')}`
    })
    return [...workers, ...lanes, `${this.received.length} received`].join('\n')
  }
}

function lanesOf(memory: QueueMemory): LaneView[] {
  return Array.from({ length: memory.producers * memory.consumers }, (_, lane) =>
    memory.laneView(Math.floor(lane / memory.consumers), lane % memory.consumers),
  )
}

interface InHand {
  ticket: number
  item: number
  order: number
  value: Value
}

export class GraphWorker {
  readonly stage: number
  readonly index: number
  isDone = false
  readonly #graph: SmallGraph
  readonly #bell: number
  readonly #releases: number[]
  readonly #stop: StopEvent
  #reader: InputReader | undefined
  #writer: QueueWriter | undefined
  #hand: InHand[] = []
  /** Of the first in hand: the output that is next; -1: not begun. */
  #part = -1
  #next = 0

  constructor(
    graph: SmallGraph,
    stage: number,
    index: number,
    bell: number,
    releases: number[],
    stop: StopEvent,
  ) {
    this.stage = stage
    this.index = index
    this.#graph = graph
    this.#bell = bell
    this.#releases = releases
    this.#stop = stop
    this.restart()
  }

  /** The life it had ends here, between two steps; the next one begins with what lies in shared memory. */
  restart(): void {
    const { queues, shape } = this.#graph
    const input = queues[this.stage - 1]
    const output = queues[this.stage]
    this.#hand = []
    this.#part = -1
    this.#word = 0
    const claiming = shape.overflow[this.stage - 1] === 'drop-old'
    if (input !== undefined) {
      const upstream = queues.slice(0, this.stage - 1).reverse()
      this.#reader = new InputReader([{ memory: input, index: this.index, upstream, claiming }], {
        bell: this.#stop.doorbell(this.#bell),
        wakeWriter: 'late',
        releaseBells: this.#releases.map((bell) => this.#stop.doorbell(bell)),
      })
    }
    if (output === undefined) return
    const isNumbered = this.stage === 0
    this.#writer = new QueueWriter(output, this.index, { overflow: shape.overflow[this.stage], isNumbered })
    if (isNumbered) this.#next = (((this.#writer.newestOrder ?? shape.firstOrder) - shape.firstOrder) | 0) + 1
  }

  set #word(value: number) {
    Atomics.store(this.#graph.bells, BELL_WORDS * (1 + this.#bell), value)
  }

  get isAsleep(): boolean {
    return Atomics.load(this.#graph.bells, BELL_WORDS * (1 + this.#bell)) === ASLEEP
  }

  wake(): void {
    this.#word = 0
  }

  /** Moves, or goes to sleep. */
  step(): void {
    if (this.#move()) return
    this.#word = ASLEEP
    if (this.#move()) this.#word = 0
  }

  #move(): boolean {
    return this.stage === 0 ? this.#emit() : this.#process()
  }

  #emit(): boolean {
    const { shape } = this.#graph
    const writer = this.#writer as QueueWriter
    if (this.#next > shape.items) return !this.#graph.isPaused && this.#end()
    const order = (shape.firstOrder + this.#next) | 0
    const origin = { item: this.#next, source: 0, order, madeBy: this.#next, part: 0 }
    if (writer.tryPut([this.#next], origin) === 'full') return false
    this.#next++
    return true
  }

  #process(): boolean {
    const reader = this.#reader as InputReader
    if (this.#hand.length < this.#graph.shape.ahead && this.#part <= 0) {
      const found = reader.poll()
      if (found === 'item') {
        const { item, order } = reader
        const ticket = reader.take()
        this.#hand.push({ ticket, item, order, value: reader.readTicket(ticket) as Value })
        return true
      }
      if (found === 'ended' && this.#hand.length === 0) return this.#end()
    }
    return this.#hand.length > 0 && this.#goOn(this.#hand[0])
  }

  #goOn({ ticket, item, order, value }: InHand): boolean {
    const writer = this.#writer
    if (this.#part < 0) this.#part = writer?.published(ticket) ?? 0
    if (writer === undefined) this.#graph.received.push(value)
    else if (this.#part < this.#graph.shape.fan(this.stage, value)) {
      const origin = { item, source: 0, order, madeBy: ticket, part: this.#part }
      if (writer.tryPut([...value, this.#part], origin) === 'full') return false
      this.#part++
      return true
    }
    this.#reader?.release(ticket)
    this.#hand.shift()
    this.#part = -1
    return true
  }

  #end(): boolean {
    this.#reader?.leave()
    this.#writer?.putEnd({ item: 0, source: 0, order: 0, madeBy: 0xffffffff, part: 0 })
    this.isDone = true
    return true
  }
}
