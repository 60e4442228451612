import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeToScratch } from '../../src/queue/codec/encode.ts'
import type { LaneView } from '../../src/queue/lane.ts'
import type { LaneReader } from '../../src/queue/lane-reader.ts'
import type { LaneWriter } from '../../src/queue/lane-writer.ts'
import { TestLane } from '../support/lanes.ts'

const origin = (item: number, part = 0) => ({ item, source: 3, order: item | 0, madeBy: item >>> 0, part })

/** Where the counts begin: they run modulo 2^32 and are seen as signed words. */
const NEAR_OVERFLOW = [0, 2 ** 31 - 3, -(2 ** 31), -3]

function sizeOf(value: unknown): number {
  return encodeToScratch(value).length
}

test('a lane takes as many items as its capacity, and one more for each given back', () => {
  for (const capacity of [1, 2, 3, 4, 7, 8]) {
    const lane = new TestLane(capacity, 4096)
    const [writer, reader] = [lane.writer(), lane.reader()]
    for (let item = 0; item < capacity; item++) assert.ok(writer.tryPut(item, origin(item)))
    assert.equal(writer.tryPut('one too many', origin(0)), false)
    assert.equal(writer.hasRoom(), false)
    assert.equal(reader.isEmpty(), false)
    reader.commit()
    assert.equal(writer.hasRoom(), true)
    assert.ok(writer.tryPut('the next', origin(0)))
    assert.equal(writer.tryPut('one too many', origin(0)), false)
  }
})

test('SENTINEL has a place also in a full lane, and comes after the last item', () => {
  for (const capacity of [1, 2, 3, 4, 7]) {
    const lane = new TestLane(capacity, 4096)
    const [writer, reader] = [lane.writer(), lane.reader()]
    for (let item = 0; item < capacity; item++) writer.tryPut(item, origin(item))
    writer.putEnd(origin(capacity))
    for (let item = 0; item < capacity; item++) {
      assert.equal(reader.isEmpty(), false)
      assert.equal(reader.isEnd(), false)
      assert.equal(reader.read(), item)
      reader.commit()
    }
    assert.equal(reader.isEmpty(), false)
    assert.equal(reader.isEnd(), true)
  }
})

test('an item of exactly the size of the arena goes through; a byte more is refused by its code', () => {
  for (const value of [
    'x'.repeat(90),
    'é'.repeat(45),
    '\u{1f600}'.repeat(22),
    new Uint8Array(80),
    [1, 'a'],
    0.5,
  ]) {
    const size = sizeOf(value)
    const fits = new TestLane(2, size)
    assert.ok(fits.writer().tryPut(value, origin(1)), `${size} bytes into ${size}`)
    assert.deepEqual(fits.contents(), [value])
    const writer = new TestLane(2, size - 1).writer()
    assert.throws(() => writer.tryPut(value, origin(1)), { code: 'MILLRACE_ITEM_TOO_LARGE' })
    assert.ok(writer.tryPut(null, origin(1)), 'the lane is as it was')
  }
})

test('an item that cannot be cloned leaves the lane as it was', () => {
  const lane = new TestLane(4, 256)
  const writer = lane.writer()
  writer.tryPut('before', origin(1))
  for (const value of [() => 1, ['x'.repeat(50), Symbol('s')], { a: { b: () => 1 } }]) {
    assert.throws(() => writer.tryPut(value, origin(2)), { code: 'MILLRACE_NOT_CLONEABLE' })
    assert.deepEqual(lane.contents(), ['before'])
    assert.equal(lane.view().passed, 1)
  }
  assert.ok(writer.tryPut('after', origin(3)))
  assert.deepEqual(lane.contents(), ['before', 'after'])
})

interface Step {
  do: 'put' | 'take' | 'new writer' | 'new reader'
  bytes: number
}

const steps = (maxBytes: number) =>
  fc.array(
    fc.record({
      do: fc.constantFrom<Step['do']>(
        'put',
        'put',
        'put',
        'put',
        'take',
        'take',
        'take',
        'new writer',
        'new reader',
      ),
      bytes: fc.oneof(fc.nat(8), fc.nat(maxBytes)),
    }),
    { minLength: 20, maxLength: 200 },
  )

/** What a lane must do, in the plainest form; and how far the counts are. */
class Model {
  readonly lane: TestLane
  readonly items: string[] = []
  writer: LaneWriter
  reader: LaneReader
  put = 0

  constructor(lane: TestLane) {
    this.lane = lane
    this.writer = lane.writer()
    this.reader = lane.reader()
  }

  step(step: Step): void {
    if (step.do === 'put') this.#put(step.bytes)
    else if (step.do === 'take') this.#take()
    else if (step.do === 'new writer') this.writer = this.lane.writer()
    else this.reader = this.lane.reader()
  }

  check(): void {
    assert.deepEqual(this.lane.contents(), this.items)
    const view = this.lane.view()
    assert.equal(view.level, this.items.length)
    assert.ok(view.peak >= this.items.length && view.peak <= this.lane.layout.capacity)
  }

  #put(bytes: number): void {
    const { lane, items, writer } = this
    const value = `${this.put}:`.padEnd(bytes, 'x')
    const size = sizeOf(value)
    const { capacity, arenaBytes } = lane.layout
    if (size > arenaBytes && items.length < capacity) {
      assert.throws(() => writer.tryPut(value, origin(this.put)), { code: 'MILLRACE_ITEM_TOO_LARGE' })
      return
    }
    if (writer.tryPut(value, origin(this.put))) {
      items.push(value)
      this.put++
      assert.ok(items.length <= capacity, 'more items than the capacity')
      assert.ok(items.reduce((sum, item) => sum + sizeOf(item), 0) <= arenaBytes, 'more bytes than the arena')
      return
    }
    assert.ok(items.length > 0, 'an empty lane refused an item that fits')
    assert.equal(writer.hasRoom(), false, 'refused, although there is room')
  }

  #take(): void {
    const { reader, items } = this
    assert.equal(reader.isEmpty(), items.length === 0)
    if (items.length === 0) return
    assert.equal(reader.read(), items[0])
    assert.equal(reader.item, Number.parseInt(items[0], 10))
    reader.commit()
    items.shift()
  }
}

test('whatever is put and taken in whatever sizes, what is in flight stays whole, also across new lives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 16, max: 200 }),
      fc.constantFrom(...NEAR_OVERFLOW),
      fc.boolean(),
      steps(70),
      (capacity, arenaBytes, firstCount, isRebornEachStep, all) => {
        const model = new Model(new TestLane(capacity, arenaBytes, firstCount))
        for (const step of all) {
          model.step(step)
          model.check()
          if (!isRebornEachStep) continue
          model.writer = model.lane.writer()
          model.reader = model.lane.reader()
        }
      },
    ),
    { numRuns: 1500 },
  )
})

test('an arena beyond the first turn grows into use, and items stay whole on the way', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), steps(90_000), (capacity, all) => {
      const model = new Model(new TestLane(capacity, 300_000))
      for (const step of all) model.step(step)
      model.check()
    }),
    { numRuns: 40 },
  )
})

test('a refused writer learns of room as soon as there is some, and is not called in vain twice', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 30, max: 120 }),
      fc.array(fc.nat(60), { minLength: 10, maxLength: 60 }),
      (capacity, arenaBytes, sizes) => {
        const lane = new TestLane(capacity, arenaBytes)
        const [writer, reader] = [lane.writer(), lane.reader()]
        for (const bytes of sizes) {
          const value = 'y'.repeat(bytes)
          if (sizeOf(value) > arenaBytes) continue
          while (!writer.tryPut(value, origin(1))) {
            assert.equal(writer.hasRoom(), false)
            assert.equal(reader.isEmpty(), false, 'no room in an empty lane')
            reader.commit()
            if (fitsNow(lane, value))
              assert.equal(writer.hasRoom(), true, 'there is room, and nobody learns of it')
          }
        }
      },
    ),
    { numRuns: 500 },
  )

  /** Tries it on a copy of the memory. */
  function fitsNow(lane: TestLane, value: string): boolean {
    const copy = new TestLane(lane.layout.capacity, lane.layout.arenaBytes)
    new Uint8Array(copy.memory).set(new Uint8Array(lane.memory))
    return copy.writer().tryPut(value, origin(1))
  }
})

test('few small items in flight touch only the beginning of a large arena, where the lane runs empty now and then', () => {
  const lane = new TestLane(1024, 2 ** 20)
  const [writer, reader] = [lane.writer(), lane.reader()]
  for (let item = 0; item < 50_000; item++) {
    writer.tryPut(`item ${item}`.padEnd(100), origin(item))
    // The writer does not see that it is empty unless it looks: there is always a place for the next item.
    if (item % 4 !== 3) continue
    for (let count = 0; count < 4; count++) {
      reader.isEmpty()
      reader.commit()
    }
  }
  assert.ok(lane.arenaFrom(90 * 1024).every((byte) => byte === 0))
  assert.ok(!lane.arenaFrom(60 * 1024).every((byte) => byte === 0), 'they did not get to the turn')
})

test('the whole arena can be filled, however small the items', () => {
  const lane = new TestLane(4096, 2 ** 20)
  const writer = lane.writer()
  const value = 'z'.repeat(1000)
  let put = 0
  while (writer.tryPut(value, origin(put))) put++
  assert.ok((put + 1) * sizeOf(value) > 2 ** 20, `${put} items of ${sizeOf(value)} bytes`)
})

test('a lane is refused bytes only where it has none left, whatever was in it before, also to the next life of its writer', () => {
  const draws = fc.array(fc.record({ puts: fc.nat(300), takes: fc.nat(300), isReborn: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  })
  const lengths = fc.array(fc.integer({ min: 100, max: 3000 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(draws, lengths, (rounds, lengths) => {
      const arena = 2 ** 18
      const lane = new TestLane(4096, arena)
      let writer = lane.writer()
      const reader = lane.reader()
      const waiting: string[] = []
      let item = 0
      const put = (): boolean => {
        const value = `${item}`.padEnd(lengths[item % lengths.length], '.')
        if (!writer.tryPut(value, origin(item))) return false
        waiting.push(value)
        item++
        return true
      }
      const take = (): void => {
        assert.equal(reader.isEmpty(), false)
        assert.equal(reader.read(), waiting.shift())
        reader.commit()
      }
      for (const { puts, takes, isReborn } of rounds) {
        for (let count = 0; count < puts && put(); count++);
        for (let count = 0; count < takes && waiting.length > 0; count++) take()
        if (isReborn) writer = lane.writer()
      }
      while (put());
      assert.equal(writer.hasRoom(), false)
      const filled = waiting.reduce((sum, value) => sum + sizeOf(value), 0)
      const largest = sizeOf('.'.repeat(3000))
      assert.ok(filled + 2 * largest > arena, `${filled} of ${arena} bytes`)
      while (waiting.length > 0) take()
      assert.ok(reader.isEmpty())
    }),
    { numRuns: 60 },
  )
})

test('a view tells level, peak, items passed, what remains and what was newest', () => {
  for (const first of NEAR_OVERFLOW) {
    const lane = new TestLane(4, 4096, first)
    const [writer, reader, view] = [lane.writer(), lane.reader(), lane.view()]
    const before = view.passed
    for (const item of [7, 8, 9]) writer.tryPut('item', origin(item, item + 1))
    reader.isEmpty()
    reader.commit()
    assert.equal(view.level, 2)
    assert.equal(view.peak, 3)
    assert.equal(view.passed - before, 3)
    assert.deepEqual(whatRemains(view), [origin(8, 9), origin(9, 10)])
    assert.deepEqual(view.newest, { ...origin(9, 10), isEnd: false })
    writer.putEnd(origin(10))
    assert.equal(view.level, 2, 'SENTINEL is no item')
    assert.equal(view.passed - before, 3, 'SENTINEL is no item')
    assert.deepEqual(whatRemains(view), [origin(8, 9), origin(9, 10)])
    for (let item = 0; item < 2; item++) {
      reader.isEmpty()
      reader.commit()
    }
    assert.equal(view.level, 0, 'only SENTINEL is left')
    assert.equal(view.peak, 3)
  }
})

test('the peak that a reader sees does not count SENTINEL', () => {
  for (const first of NEAR_OVERFLOW) {
    const lane = new TestLane(4, 4096, first)
    const [writer, reader, view] = [lane.writer(), lane.reader(), lane.view()]
    writer.tryPut('item', origin(1))
    writer.putEnd(origin(2))
    assert.equal(reader.level(), 2, 'it is a record')
    assert.equal(view.peak, 1)
  }
})

function whatRemains(view: LaneView): unknown[] {
  return [...view.remaining()].map(({ count: _, batch, isConsumed, ...itsOrigin }) => {
    assert.deepEqual([batch, isConsumed], [0, false])
    return itsOrigin
  })
}

test('an untouched lane has no newest item; the count of items passed goes on beyond 2^32', () => {
  const fresh = new TestLane(2, 64)
  assert.equal(fresh.view().newest, undefined)
  assert.equal(fresh.writer().newest(), undefined)
  assert.equal(fresh.view().passed, 0)
  const lane = new TestLane(2, 64, -1)
  const [writer, reader] = [lane.writer(), lane.reader()]
  assert.equal(lane.view().passed, 2 ** 32 - 1)
  for (let item = 0; item < 3; item++) {
    writer.tryPut('x', origin(item))
    reader.isEmpty()
    reader.commit()
  }
  assert.equal(lane.view().passed, 2 ** 32 + 2)
})

test('item numbers beyond 2^32 arrive as they were', () => {
  for (const item of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, 2 ** 52 + 3]) {
    const lane = new TestLane(1, 64)
    const writer = lane.writer()
    writer.tryPut('x', origin(item, 3))
    const reader = lane.reader()
    assert.equal(reader.isEmpty(), false)
    assert.equal(reader.item, item)
    assert.deepEqual(writer.newest(), { ...origin(item, 3), isEnd: false })
    assert.deepEqual(
      lane.writer().newest(),
      { ...origin(item, 3), isEnd: false },
      'the next life of the writer',
    )
    assert.deepEqual(lane.view().newest, { ...origin(item, 3), isEnd: false })
  }
})

test('the next life of a writer knows that the stream was ended', () => {
  const lane = new TestLane(2, 64)
  const writer = lane.writer()
  writer.tryPut('x', origin(4))
  writer.putEnd(origin(5))
  assert.deepEqual(lane.writer().newest(), { ...origin(5), isEnd: true })
})

test('a record that points outside the arena is refused, not read', () => {
  const lane = new TestLane(1, 64)
  lane.writer().tryPut('x', origin(1))
  // Offset and length of the first slot.
  for (const [word, value] of [
    [32, -1],
    [32, 2 ** 20],
    [33, -1],
    [33, 65],
  ]) {
    const words = new Int32Array(lane.memory)
    const was = words[word]
    words[word] = value
    const reader = lane.reader()
    assert.equal(reader.isEmpty(), false)
    assert.throws(() => reader.read(), { code: 'MILLRACE_CORRUPT_RECORD' })
    words[word] = was
  }
})

test('giving back a record that is not there is an error', () => {
  const reader = new TestLane(1, 64).reader()
  assert.throws(() => reader.commit(), { code: 'MILLRACE_BUG' })
})

test('records are given back in any order; the next life meets those that were not, and only those', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(...NEAR_OVERFLOW),
      fc.array(
        fc.record({ do: fc.constantFrom('put', 'put', 'take', 'release', 'commit', 'die'), which: fc.nat() }),
        {
          maxLength: 200,
        },
      ),
      (capacity, first, all) => {
        const lane = new TestLane(capacity, 4096, first)
        const writer = lane.writer()
        let reader = lane.reader()
        const before = reader.committed
        let put = 0
        let released = 0
        let waiting: number[] = []
        let held: { count: number; item: number }[] = []
        const take = () => {
          assert.equal(reader.isEmpty(), waiting.length === 0)
          if (waiting.length === 0) return
          assert.deepEqual([reader.read(), reader.item], [`${waiting[0]}`, waiting[0]])
          held.push({ count: reader.take(), item: waiting.shift() as number })
        }
        for (const step of all) {
          if (step.do === 'put' && writer.tryPut(`${put}`, origin(put))) waiting.push(put++)
          if (step.do === 'take') take()
          if (step.do === 'release' && held.length > 0) {
            const [record] = held.splice(step.which % held.length, 1)
            assert.equal(reader.countOf(record.count & 0x3fffff), record.count)
            assert.equal(reader.readAt(record.count), `${record.item}`)
            reader.release(record.count)
            assert.throws(() => reader.release(record.count), { code: 'MILLRACE_BUG' })
            released++
          }
          if (step.do === 'commit' && !reader.isEmpty()) {
            assert.equal(reader.read(), `${waiting.shift()}`)
            reader.commit()
            released++
          }
          if (step.do === 'die') {
            reader = lane.reader()
            waiting = [...held.map(({ item }) => item), ...waiting].sort((a, b) => a - b)
            held = []
          }
          assert.equal(reader.held, held.length)
          assert.equal(reader.committed - before, released)
          const left = [...lane.view().remaining()].filter(({ isConsumed }) => !isConsumed)
          assert.deepEqual(
            left.map(({ item }) => item),
            [...held.map(({ item }) => item), ...waiting].sort((a, b) => a - b),
          )
          if (left.length === 0)
            assert.equal(lane.view().headOrder(), 'empty', 'nothing is left, and room is not made')
          else assert.equal(lane.view().headOrder(), left[0].order, 'HEAD follows as far as it can')
        }
      },
    ),
    { numRuns: 800 },
  )
})

test('a batch that was noted in a record is there for the next life', () => {
  const lane = new TestLane(4, 4096)
  const writer = lane.writer()
  for (const item of [1, 2, 3]) writer.tryPut('x', origin(item))
  const reader = lane.reader()
  assert.equal(reader.isEmpty(), false)
  const [first, second] = [reader.take(), reader.take()]
  reader.mark(first, 2 ** 20 - 1)
  reader.mark(second, 7)
  reader.mark(second, 5)
  const next = lane.reader()
  const batches: number[] = []
  for (; !next.isEmpty(); next.take()) {
    assert.deepEqual([next.isEnd(), next.source], [false, 3])
    batches.push(next.batch)
  }
  assert.deepEqual(batches, [2 ** 20 - 1, 5, 0])
})

test('SENTINEL is put once, also by the next life of the writer', () => {
  const lane = new TestLane(2, 64)
  const writer = lane.writer()
  assert.equal(writer.hasEnded, false)
  writer.putEnd(origin(5))
  const next = lane.writer()
  assert.equal(next.hasEnded, true)
  next.putEnd(origin(6))
  const reader = lane.reader()
  assert.equal(reader.isEmpty(), false)
  assert.equal(reader.level(), 1)
})

test('the order at the head is told to anyone: of the oldest that was not given back', () => {
  const lane = new TestLane(4, 4096, -2)
  const [writer, reader, view] = [lane.writer(), lane.reader(), lane.view()]
  assert.equal(view.headOrder(), 'empty')
  for (const order of [-5, -1, 2 ** 31]) writer.tryPut('x', { ...origin(1), order })
  writer.putEnd(origin(9))
  reader.isEmpty()
  const counts = [reader.take(), reader.take(), reader.take()]
  assert.equal(view.headOrder(), -5)
  reader.release(counts[1])
  assert.equal(view.headOrder(), -5)
  reader.release(counts[0])
  assert.equal(view.headOrder(), -(2 ** 31))
  reader.release(counts[2])
  assert.equal(view.headOrder(), 'end')
})

test('a lane that drops its oldest keeps the newest; each record is either read or dropped', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(...NEAR_OVERFLOW),
      fc.array(fc.constantFrom('put', 'put', 'put', 'claim', 'commit'), { maxLength: 120 }),
      (capacity, first, all) => {
        const lane = new TestLane(capacity, 256, first)
        const [writer, reader, view] = [lane.writer(), lane.claimingReader(), lane.view()]
        const before = reader.committed
        let put = 0
        let isInHand = false
        const got: number[] = []
        const queue: number[] = []
        for (const step of all) {
          if (step === 'put') {
            while (!writer.tryPut(`${put}`, origin(put))) {
              assert.equal(writer.dropOldest(), true)
              queue.shift()
            }
            queue.push(put++)
          } else if (step === 'claim' && !isInHand && !reader.isEmpty()) {
            assert.equal(reader.order, queue[0])
            isInHand = reader.claim()
            assert.equal(isInHand, true)
          } else if (step === 'commit' && isInHand) {
            assert.deepEqual([reader.read(), reader.item], [`${queue[0]}`, queue[0]])
            reader.commit()
            isInHand = false
            got.push(queue.shift() as number)
          }
          if (isInHand) assert.equal(view.headOrder(), queue[0], 'what is in hand counts')
          // In hand, it is no longer in the ring.
          if (isInHand) while (writer.dropOldest()) queue.splice(1, 1)
          assert.equal(view.dropped + got.length + queue.length, put)
          assert.equal(reader.committed - before, got.length)
        }
      },
    ),
    { numRuns: 800 },
  )
})

test('a claim fails if the writer has dropped the record since it was looked at', () => {
  const lane = new TestLane(1, 256)
  const [writer, reader] = [lane.writer(), lane.claimingReader()]
  assert.equal(reader.takeOvertaken(), true, 'what an earlier life held is gone')
  writer.tryPut('first', origin(1))
  assert.equal(reader.isEmpty(), false)
  writer.dropOldest()
  writer.tryPut('second', origin(2))
  assert.equal(reader.claim(), false)
  assert.equal(lane.view().headOrder(), 2)
  assert.equal(reader.takeOvertaken(), true)
  assert.equal(reader.isEmpty(), false)
  assert.equal(reader.claim(), true)
  assert.equal(reader.read(), 'second')
  assert.equal(writer.dropOldest(), false, 'it has been claimed')
  writer.tryPut('third', origin(3))
  assert.equal(reader.read(), 'second', 'it is a copy')
  reader.commit()
  assert.equal(reader.isEmpty(), false)
})

test('who looks at a lane while both ends move on sees nothing, not everything', () => {
  const lane = new TestLane(4, 256)
  // TAIL as it was, HEAD as it is a moment later: the reader has gone beyond what the looker took for the end.
  const words = new Int32Array(lane.memory)
  words[0] = 3
  words[16] = 5
  assert.deepEqual([...lane.view().remaining()], [])
  assert.equal(lane.view().oldestItem(3), Number.POSITIVE_INFINITY)
})
