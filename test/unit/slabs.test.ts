import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClaimingLaneReader } from '../../src/queue/claiming-lane-reader.ts'
import { InputReader } from '../../src/queue/input-reader.ts'
import { DONE, QueueMemory } from '../../src/queue/queue-memory.ts'
import { QueueWriter } from '../../src/queue/queue-writer.ts'
import { SlabBoard } from '../../src/queue/slab-board.ts'
import { allocateSlabs } from '../../src/queue/slab-pool.ts'
import { Slabs } from '../../src/queue/slabs.ts'
import { StopEvent } from '../../src/queue/stop-event.ts'

const SIZE = 8192
const holder = {}
const origin = (item: number) => ({ item, source: 0, order: item, madeBy: item, part: 0 })

interface Frame {
  n: number
  data: Uint8Array
}

/** A chain of workers with a queue between each two; worker 0 makes the slabs. */
class Chain {
  readonly stop = new StopEvent()
  readonly board: SharedArrayBuffer
  readonly pools: (SharedArrayBuffer | undefined)[]
  readonly queues: QueueMemory[]
  readonly slabs: Slabs[]
  readonly isClaiming: boolean

  constructor(
    hops: number,
    slabs: number,
    { consumers = 1, isClaiming = false, copies = false, capacity = 8 } = {},
  ) {
    this.isClaiming = isClaiming
    this.board = SlabBoard.allocate(hops + 1)
    this.pools = [allocateSlabs(slabs * SIZE), ...new Array(hops).fill(undefined)]
    this.queues = Array.from({ length: hops }, () =>
      QueueMemory.allocate(
        { name: 'test', capacity, capacityBytes: 65_536, producers: 1, consumers },
        this.stop,
      ),
    )
    this.slabs = Array.from({ length: hops + 1 }, (_, worker) => this.life(worker, copies))
  }

  /** A new life of that worker. */
  life(worker: number, copies = false): Slabs {
    const { board, pools, queues } = this
    return new Slabs(
      { board, pools, worker, bells: [], holderBells: [], queues: queues.map(({ handle }) => handle) },
      {
        doorbell: (bell) => this.stop.doorbell(bell),
        inputs: () => (worker === 0 ? [] : [queues[worker - 1].laneView(0, 0)]),
        wait: undefined,
        copies,
      },
    )
  }

  writer(hop: number, slabs = this.slabs[hop]): QueueWriter {
    const overflow = this.isClaiming ? 'drop-old' : 'block'
    return new QueueWriter(this.queues[hop], 0, { slabs, overflow })
  }

  reader(hop: number, slabs = this.slabs[hop + 1], index = 0): InputReader {
    const memory = this.queues[hop]
    memory.openEnd('consumer', index)
    const bell = memory.doorbell('consumer', index)
    return new InputReader([{ memory, index, claiming: this.isClaiming }], { bell, slabs })
  }

  /** Whether `alloc` gives a slab, which is let go at once. */
  hasSlab(slabs = this.slabs[0]): boolean {
    const mine = {}
    const isSlab = slabs.alloc(SIZE, mine).buffer instanceof SharedArrayBuffer
    slabs.letGo(mine)
    return isSlab
  }
}

function frame(chain: Chain, n: number): Frame {
  return { n, data: chain.slabs[0].alloc(SIZE, holder).fill(n) }
}

function read(reader: InputReader): Frame {
  assert.equal(reader.poll(), 'item')
  return reader.read() as Frame
}

test('an item in a slab arrives as a view of the same memory, whatever kind of view it is', () => {
  const chain = new Chain(1, 4)
  const [writer, reader] = [chain.writer(0), chain.reader(0)]
  const data = chain.slabs[0].alloc(SIZE, holder)
  const views = {
    data,
    part: data.subarray(100, 200),
    floats: new Float32Array(data.buffer, data.byteOffset + 64, 10),
    text: Buffer.from(data.buffer as SharedArrayBuffer, data.byteOffset, 20),
    look: new DataView(data.buffer, data.byteOffset + 1, 7),
    empty: data.subarray(3, 3),
  }
  assert.equal(writer.tryPut({ ...views, again: data }, origin(1)), 'ok')
  chain.slabs[0].letGoPassedOn()
  assert.equal(reader.poll(), 'item')
  assert.ok(reader.bytes > SIZE, 'what lies in slabs counts')
  const found = reader.read() as typeof views & { again: Uint8Array }
  for (const [name, view] of Object.entries(views)) {
    const its = found[name as keyof typeof views]
    assert.equal(its.byteLength, view.byteLength, name)
    assert.equal(Object.prototype.toString.call(its), Object.prototype.toString.call(view), name)
    if (name === 'empty') continue
    assert.equal(its.buffer, view.buffer, name)
    assert.equal(its.byteOffset, view.byteOffset, name)
  }
  assert.ok(Buffer.isBuffer(found.text))
  assert.equal(found.again, found.data, 'the same object twice')
})

test('a slab is in use as long as a record refers to it, and free when that is given back', () => {
  const chain = new Chain(1, 1)
  const [writer, reader] = [chain.writer(0), chain.reader(0)]
  for (let n = 1; n <= 3; n++) {
    assert.equal(writer.tryPut(frame(chain, n), origin(n)), 'ok')
    chain.slabs[0].letGoPassedOn()
    assert.equal(chain.hasSlab(), false, 'in the lane')
    const found = read(reader)
    assert.equal(found.data[SIZE - 1], n)
    const ticket = reader.take()
    assert.equal(chain.hasSlab(), false, 'in hand')
    reader.release(ticket)
    assert.equal(chain.hasSlab(), true)
  }
})

test('a slab that is passed on stays in use from lane to lane, and frees itself at the last', () => {
  const chain = new Chain(3, 1)
  chain.writer(0).tryPut(frame(chain, 5), origin(1))
  chain.slabs[0].letGoPassedOn()
  for (let hop = 0; hop < 2; hop++) {
    const reader = chain.reader(hop)
    const { n, data } = read(reader)
    data[0]++
    assert.equal(chain.writer(hop + 1).tryPut({ n: n + 1, data: data.subarray(0, 4096) }, origin(1)), 'ok')
    assert.equal(chain.hasSlab(), false, 'in both lanes')
    reader.commit()
    assert.equal(chain.hasSlab(), false, 'in the next lane')
  }
  const last = chain.reader(2)
  assert.deepEqual([...read(last).data.subarray(0, 3)], [7, 5, 5])
  last.commit()
  assert.equal(chain.hasSlab(), true)
})

test('the next life of a reader finds the same bytes; the next life of the maker finds what is in use', () => {
  const chain = new Chain(2, 2)
  const writer = chain.writer(0)
  for (const n of [1, 2]) writer.tryPut(frame(chain, n), origin(n))
  chain.reader(0).poll()
  // The reader dies with the first in hand, after it had put its output.
  const dying = chain.reader(0)
  chain.writer(1).tryPut(read(dying), origin(1))
  const maker = chain.life(0)
  assert.equal(chain.hasSlab(maker), false)
  const reader = chain.reader(0, chain.life(1))
  assert.equal(read(reader).data[9], 1)
  reader.commit()
  assert.equal(read(reader).data[9], 2)
  reader.commit()
  assert.equal(chain.hasSlab(maker), true, 'the second')
  const kept = maker.alloc(SIZE, {})
  assert.equal(chain.hasSlab(maker), false)
  kept.fill(99)
  assert.equal(read(chain.reader(1)).data[9], 1, 'the first is where it was')
})

test('what is given back out of turn is free out of turn', () => {
  const chain = new Chain(1, 3)
  const [writer, reader] = [chain.writer(0), chain.reader(0)]
  for (const n of [1, 2, 3]) writer.tryPut(frame(chain, n), origin(n))
  chain.slabs[0].letGoPassedOn()
  const tickets = [1, 2, 3].map(() => {
    reader.poll()
    return reader.take()
  })
  assert.equal(chain.hasSlab(), false)
  reader.release(tickets[1])
  const again = chain.slabs[0].alloc(SIZE, holder)
  again.fill(50)
  assert.equal((reader.readTicket(tickets[0]) as Frame).data[7], 1)
  assert.equal((reader.readTicket(tickets[2]) as Frame).data[7], 3)
})

test('a view on a slab that its worker has no right to any more is refused where it would be put', () => {
  const chain = new Chain(2, 4)
  const writer = chain.writer(0)
  const released = { code: 'MILLRACE_SLAB_RELEASED' }
  const first = frame(chain, 1)
  writer.tryPut(first, origin(1))
  chain.slabs[0].letGoPassedOn()
  assert.throws(() => writer.tryPut({ deep: [first] }, origin(2)), {
    ...released,
    message: /view on a slab that was passed on or given back before at \.deep\[0\]\.data/,
  })
  const dropped = frame(chain, 2)
  chain.slabs[0].letGo(holder)
  assert.throws(() => writer.tryPut(dropped, origin(2)), released)
  const all = new Uint8Array(first.data.buffer)
  assert.throws(() => writer.tryPut(all, origin(2)), released, 'more than one slab')
  const reader = chain.reader(0)
  const found = read(reader)
  assert.equal(chain.writer(1).tryPut(found, origin(1)), 'ok')
  reader.commit()
  assert.throws(() => chain.writer(1).tryPut(found, origin(2)), released)
})

test('several lanes may refer to one slab; the last reader frees it', () => {
  const chain = new Chain(1, 1, { consumers: 2 })
  const memory = chain.queues[0]
  const readers = [chain.reader(0), chain.reader(0, chain.life(1), 1)]
  const item = frame(chain, 4)
  for (const consumer of [0, 1]) {
    const lane = memory.laneWriter(0, consumer, chain.slabs[0])
    assert.ok(lane.tryPut(item, origin(1)))
  }
  chain.slabs[0].letGoPassedOn()
  for (const reader of readers) {
    assert.equal(chain.hasSlab(), false)
    assert.equal(read(reader).data[0], 4)
    reader.commit()
  }
  assert.equal(chain.hasSlab(), true)
})

test('what lies before a reader that has left for good keeps no slab', () => {
  const chain = new Chain(1, 1, { consumers: 2 })
  for (const consumer of [0, 1]) chain.queues[0].openEnd('consumer', consumer)
  chain.writer(0).tryPut(frame(chain, 1), origin(1))
  chain.slabs[0].letGoPassedOn()
  assert.equal(chain.hasSlab(), false)
  for (const consumer of [0, 1]) chain.queues[0].leave('consumer', consumer, DONE)
  assert.equal(chain.hasSlab(), true)
})

test('a reader of copies gets memory of its own', () => {
  const chain = new Chain(1, 1, { copies: true })
  chain.writer(0).tryPut(frame(chain, 3), origin(1))
  chain.slabs[0].letGoPassedOn()
  const reader = chain.reader(0)
  const { data } = read(reader)
  reader.commit()
  chain.slabs[0].alloc(SIZE, holder).fill(9)
  assert.ok(data.buffer instanceof ArrayBuffer)
  assert.deepEqual([data.length, data[0], data[SIZE - 1]], [SIZE, 3, 3])
})

test('a lane that drops its oldest frees what it drops, and keeps what its reader has in hand', () => {
  const chain = new Chain(1, 4, { isClaiming: true, capacity: 2 })
  const [writer, reader] = [chain.writer(0), chain.reader(0)]
  const put = (n: number): void => {
    writer.tryPut(frame(chain, n), origin(n))
    chain.slabs[0].letGoPassedOn()
  }
  put(1)
  assert.equal(read(reader).data[5], 1)
  const ticket = reader.take()
  for (let n = 2; n <= 9; n++) put(n)
  const found = reader.readTicket(ticket) as Frame
  assert.deepEqual([found.n, found.data[5]], [1, 1], 'not overwritten')
  const mine = {}
  assert.ok(chain.slabs[0].alloc(SIZE, mine).buffer instanceof SharedArrayBuffer, 'one is in hand, two wait')
  assert.equal(chain.hasSlab(), false)
  reader.release(ticket)
  assert.equal(chain.hasSlab(), true)
  assert.deepEqual(read(reader).data[5], 8)
})

test('a claiming reader with more slabs in hand than it can name keeps them all', () => {
  const chain = new Chain(1, 4, { isClaiming: true })
  chain.writer(0).tryPut(frame(chain, 9), origin(1))
  chain.slabs[0].letGoPassedOn()
  const before = chain.reader(0)
  assert.equal(read(before).n, 9)
  before.commit()
  const frames = [1, 2, 3].map((n) => frame(chain, n))
  chain.writer(0).tryPut(frames, origin(1))
  chain.slabs[0].letGoPassedOn()
  const reader = chain.reader(0)
  assert.equal(reader.poll(), 'item')
  assert.equal(chain.hasSlab(), false, 'not even the first, which is free')
  assert.deepEqual(
    (reader.read() as Frame[]).map(({ data }) => data[1]),
    [1, 2, 3],
  )
  reader.commit()
  assert.equal(chain.hasSlab(), true)
  const lane = chain.queues[0].claimingLaneReader(0, 0)
  assert.ok(lane instanceof ClaimingLaneReader)
})

test('what a source yields and nobody takes is let go; what it has begun meanwhile stays its own', () => {
  const chain = new Chain(1, 3)
  const [given, other, begun] = [1, 2, 3].map((n) => frame(chain, n))
  assert.equal(chain.slabs[0].held, 3)
  chain.slabs[0].letGoOf({ given, list: [other.data.subarray(9), () => 1] })
  assert.equal(chain.slabs[0].held, 1)
  assert.equal(chain.writer(0).tryPut(begun, origin(1)), 'ok')
})

test('small memory is ordinary memory; so is any when all slabs are in use and the thread must not wait', () => {
  const chain = new Chain(1, 1)
  const [slabs] = chain.slabs
  assert.ok(slabs.alloc(4095, holder).buffer instanceof ArrayBuffer)
  assert.ok(slabs.alloc(4096, holder).buffer instanceof SharedArrayBuffer)
  const plain = slabs.alloc(4097, holder)
  assert.ok(plain.buffer instanceof ArrayBuffer)
  assert.equal(chain.writer(0).tryPut({ plain }, origin(1)), 'ok')
  const reader = chain.reader(0, undefined as never)
  assert.deepEqual((read(reader) as unknown as { plain: Uint8Array }).plain, plain)
})
