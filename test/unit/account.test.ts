/** Every item has one outcome, also where a worker died between two steps of settling it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allocateCounters,
  DROPPED,
  FAILED,
  OUT,
  RUNNING,
  WorkerCounters,
} from '../../src/observe/counters.ts'
import type { Origin } from '../../src/queue/lane.ts'
import { QueueMemory } from '../../src/queue/queue-memory.ts'
import { type Account, accountFor, sumAccounts } from '../../src/run/account.ts'

const CAPACITY = 8

/** A worker between two queues of one lane each, of which every step can be made by hand. */
class Bench {
  readonly #inputs = makeQueue()
  readonly #outputs = makeQueue()
  readonly counters = new WorkerCounters(allocateCounters(1), 0)
  readonly writer = this.#inputs.laneWriter(0, 0)
  readonly reader = this.#inputs.laneReader(0, 0)
  readonly out = this.#outputs.laneWriter(0, 0)

  constructor(items: number) {
    this.counters.life = RUNNING
    for (let item = 1; item <= items; item++) this.writer.tryPut(item, origin(item, 0))
  }

  /** Takes the next record, and gives its ticket. */
  take(): number {
    assert.equal(this.reader.isEmpty(), false)
    const { item } = this.reader
    const ticket = this.reader.take()
    this.counters.take(ticket, item)
    return ticket
  }

  /** All steps. */
  settle(outcome: typeof OUT | typeof DROPPED | typeof FAILED): void {
    const { item } = this.reader
    const ticket = this.take()
    if (outcome === OUT) this.out.tryPut('out', origin(item, ticket))
    this.counters.note(ticket, outcome)
    this.reader.release(ticket)
    this.counters.count(outcome)
  }

  account(kind: 'stage' | 'sink'): Account {
    const account = accountFor(this.counters, {
      inputs: [this.#inputs.laneView(0, 0)],
      outputs: kind === 'sink' ? undefined : [this.#outputs.laneView(0, 0)],
      isClaiming: false,
    })
    const { done, dropped, failed, abandoned, inDoubt } = account
    assert.equal(account.in, done + dropped + failed + abandoned + inDoubt)
    return account
  }
}

function makeQueue(): QueueMemory {
  const shape = { name: 'q', capacity: CAPACITY, capacityBytes: 4096, producers: 1, consumers: 1 }
  return QueueMemory.allocate(shape, undefined)
}

function origin(item: number, madeBy: number): Origin {
  return { item, source: 0, order: item, madeBy, part: 0 }
}

test('what was settled is counted, what is left is abandoned', () => {
  const bench = new Bench(5)
  bench.settle(OUT)
  bench.settle(DROPPED)
  bench.settle(FAILED)
  const { out, done, dropped, failed, abandoned } = bench.account('stage')
  assert.deepEqual([out, done, dropped, failed, abandoned], [1, 1, 1, 1, 2])
})

test('died with an item in hand: abandoned by a stage, in doubt with a sink', () => {
  const bench = new Bench(3)
  bench.settle(OUT)
  bench.take()
  assert.deepEqual(pick(bench.account('stage')), { done: 1, abandoned: 2, inDoubt: 0 })
  assert.deepEqual(pick(bench.account('sink')), { done: 1, abandoned: 1, inDoubt: 1 })
})

test('died with several in hand: as many are in doubt', () => {
  const bench = new Bench(5)
  bench.take()
  bench.take()
  bench.counters.held = 2
  assert.deepEqual(pick(bench.account('sink')), { done: 0, abandoned: 3, inDoubt: 2 })
})

test('died after an output was published: the item is done', () => {
  const bench = new Bench(3)
  const ticket = bench.take()
  bench.out.tryPut('out', origin(1, ticket))
  assert.deepEqual(pick(bench.account('stage')), { done: 1, abandoned: 2, inDoubt: 0 })
})

test('a ticket that comes again is no proof: the output is of an earlier item', () => {
  const bench = new Bench(1)
  const ticket = bench.take()
  bench.out.tryPut('out', origin(4_194_305, ticket))
  assert.equal(bench.account('stage').abandoned, 1)
})

test('died after the note: the outcome that was noted', () => {
  for (const kind of ['stage', 'sink'] as const) {
    const bench = new Bench(2)
    bench.counters.note(bench.take(), FAILED)
    assert.equal(bench.account(kind).failed, 1)
    assert.equal(bench.account(kind).abandoned, 1)
  }
})

test('died after giving back, before counting: the outcome that was noted', () => {
  for (const outcome of [OUT, DROPPED, FAILED] as const) {
    const bench = new Bench(2)
    const ticket = bench.take()
    bench.counters.note(ticket, outcome)
    bench.reader.release(ticket)
    const { done, dropped, failed, abandoned } = bench.account('sink')
    assert.deepEqual([done, dropped, failed][[OUT, DROPPED, FAILED].indexOf(outcome)], 1)
    assert.equal(abandoned, 1)
  }
})

test('records that were given back out of turn are not left', () => {
  const bench = new Bench(3)
  bench.take()
  const second = bench.take()
  bench.counters.note(second, OUT)
  bench.reader.release(second)
  bench.counters.count(OUT)
  assert.deepEqual(pick(bench.account('stage')), { done: 1, abandoned: 2, inDoubt: 0 })
})

test('a source that died with an item it had read: done if it was put, else abandoned', () => {
  const queue = makeQueue()
  const counters = new WorkerCounters(allocateCounters(1), 0)
  counters.countRead()
  const account = () =>
    accountFor(counters, { inputs: undefined, outputs: [queue.laneView(0, 0)], isClaiming: false })
  assert.deepEqual(pick(account()), { done: 0, abandoned: 1, inDoubt: 0 })
  queue.laneWriter(0, 0).tryPut('x', origin(1, 1))
  assert.deepEqual(pick(account()), { done: 1, abandoned: 0, inDoubt: 0 })
  assert.equal(account().in, undefined)
})

test('the workers of a stage add up; of a source there is no "in"', () => {
  const one = { in: 3, out: 6, done: 2, dropped: 1, failed: 0, abandoned: 0, inDoubt: 0 }
  assert.deepEqual(sumAccounts([one, one]), {
    in: 6,
    out: 12,
    done: 4,
    dropped: 2,
    failed: 0,
    abandoned: 0,
    inDoubt: 0,
  })
  assert.equal(sumAccounts([{ ...one, in: undefined }]).in, undefined)
})

function pick({ done, abandoned, inDoubt }: Account) {
  return { done, abandoned, inDoubt }
}
