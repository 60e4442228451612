import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Batch, Batcher, type BatchLimits } from '../../src/host/batcher.ts'

const tickets = (batches: readonly Batch<unknown>[]): number[][] => batches.map((batch) => batch.tickets)

/** Adds items of one byte and one key at time 0. */
function addAll(batcher: Batcher, count: number): number[][] {
  const complete: number[][] = []
  for (let ticket = 1; ticket <= count; ticket++) {
    complete.push(...tickets(batcher.add(ticket, 1, undefined, 0)))
  }
  return complete
}

test('a batch is complete when it has size items', () => {
  const batcher = new Batcher({ size: 3 })
  assert.deepEqual(addAll(batcher, 7), [
    [1, 2, 3],
    [4, 5, 6],
  ])
  assert.equal(batcher.held, 1)
  assert.deepEqual(tickets(batcher.all()), [[7]])
  assert.equal(batcher.held, 0)
})

test('a size of 1 makes every item a batch', () => {
  assert.deepEqual(addAll(new Batcher({ size: 1 }), 2), [[1], [2]])
})

test('a batch is complete when it has just so many bytes', () => {
  const batcher = new Batcher({ bytes: 10 })
  assert.deepEqual(tickets(batcher.add(1, 4, undefined, 0)), [])
  assert.deepEqual(tickets(batcher.add(2, 6, undefined, 0)), [[1, 2]])
})

test('an item that would make a batch too large closes it and begins the next', () => {
  const batcher = new Batcher({ bytes: 10 })
  batcher.add(1, 7, undefined, 0)
  const [closed, ...none] = batcher.add(2, 7, undefined, 5)
  assert.deepEqual(closed, { key: undefined, tickets: [1], sinceMs: 0 })
  assert.deepEqual(none, [])
  assert.deepEqual(batcher.all(), [{ key: undefined, tickets: [2], sinceMs: 5 }])
})

test('an item larger than bytes is a batch by itself, after the one it closed', () => {
  const batcher = new Batcher({ bytes: 10 })
  batcher.add(1, 1, undefined, 0)
  assert.deepEqual(tickets(batcher.add(2, 99, undefined, 0)), [[1], [2]])
  assert.deepEqual(tickets(batcher.add(3, 99, undefined, 0)), [[3]])
  assert.equal(batcher.held, 0)
})

test('a batch is due withinMs after its first item', () => {
  const batcher = new Batcher({ withinMs: 100 })
  batcher.add(1, 1, undefined, 1000)
  batcher.add(2, 1, undefined, 1099)
  assert.equal(batcher.nextDueMs(), 1100)
  assert.deepEqual(batcher.due(1099), [])
  assert.deepEqual(tickets(batcher.due(1100)), [[1, 2]])
  assert.equal(batcher.nextDueMs(), Number.POSITIVE_INFINITY)
})

test('what nextDueMs says is due then, also where sums are rounded', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e13, noNaN: true }),
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      (now, withinMs) => {
        const batcher = new Batcher({ withinMs })
        batcher.add(1, 1, undefined, now)
        assert.equal(batcher.due(batcher.nextDueMs()).length, 1)
      },
    ),
  )
})

test('without withinMs nothing is ever due', () => {
  const batcher = new Batcher({ size: 3 })
  batcher.add(1, 1, undefined, 0)
  assert.equal(batcher.nextDueMs(), Number.POSITIVE_INFINITY)
  assert.deepEqual(batcher.due(Number.MAX_VALUE), [])
})

test('items of different keys are in different batches, closed in the order of their first items', () => {
  const batcher = new Batcher<string>({ size: 3, withinMs: 10 })
  batcher.add(1, 1, 'a', 0)
  batcher.add(2, 1, 'b', 1)
  batcher.add(3, 1, 'a', 2)
  batcher.add(4, 1, 'c', 5)
  assert.deepEqual(batcher.due(11), [
    { key: 'a', tickets: [1, 3], sinceMs: 0 },
    { key: 'b', tickets: [2], sinceMs: 1 },
  ])
  batcher.add(5, 1, 'a', 12)
  assert.deepEqual(tickets(batcher.all()), [[4], [5]])
})

test('keys are told apart as Map does', () => {
  const batcher = new Batcher<unknown>({ size: 2 })
  batcher.add(1, 1, Number.NaN, 0)
  assert.deepEqual(tickets(batcher.add(2, 1, Number.NaN, 0)), [[1, 2]])
  batcher.add(3, 1, 0, 0)
  assert.deepEqual(tickets(batcher.add(4, 1, -0, 0)), [[3, 4]])
  batcher.add(5, 1, '1', 0)
  assert.deepEqual(batcher.add(6, 1, 1, 0), [])
})

test('the oldest batch can be taken out at any time', () => {
  const batcher = new Batcher<string>({ size: 9 })
  assert.equal(batcher.oldest(), undefined)
  batcher.add(1, 1, 'a', 0)
  batcher.add(2, 1, 'b', 0)
  batcher.add(3, 1, 'a', 0)
  assert.deepEqual(batcher.oldest()?.tickets, [1, 3])
  assert.equal(batcher.held, 1)
  assert.deepEqual(batcher.oldest()?.tickets, [2])
  assert.equal(batcher.oldest(), undefined)
})

test('every item comes out once, in order within its key, in batches within their limits', () => {
  const limits = fc.record<BatchLimits>({
    size: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    bytes: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    withinMs: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
  })
  const items = fc.array(
    fc.record({ bytes: fc.nat(12), key: fc.nat(2), waitMs: fc.nat(4), isDue: fc.boolean() }),
    { maxLength: 50 },
  )
  fc.assert(
    fc.property(limits, items, (given, list) => {
      const batcher = new Batcher<number>(given)
      const out: Batch<number>[] = []
      let now = 0
      for (const [ticket, { bytes, key, waitMs, isDue }] of list.entries()) {
        now += waitMs
        if (isDue) out.push(...batcher.due(now))
        out.push(...batcher.add(ticket, bytes, key, now))
        assert.equal(batcher.held + out.flatMap((batch) => batch.tickets).length, ticket + 1)
      }
      out.push(...batcher.all())
      for (const key of [0, 1, 2]) {
        const expected = [...list.keys()].filter((ticket) => list[ticket].key === key)
        const got = out.filter((batch) => batch.key === key).flatMap((batch) => batch.tickets)
        assert.deepEqual(got, expected)
      }
      for (const batch of out) {
        const bytes = batch.tickets.reduce((sum, ticket) => sum + list[ticket].bytes, 0)
        assert.ok(batch.tickets.length <= (given.size ?? Number.POSITIVE_INFINITY))
        assert.ok(bytes <= (given.bytes ?? Number.POSITIVE_INFINITY) || batch.tickets.length === 1)
      }
    }),
  )
})
