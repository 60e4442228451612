import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allocateSlabs, type Slab, SlabPool } from '../../src/queue/slab-pool.ts'
import { UNIT_BYTES } from '../../src/queue/slab-refs.ts'

const MiB = 2 ** 20
const holder = {}

/** What records refer to, as the sweep would find it. */
class Records {
  slabs: Slab[] = []
  isKnown = true
  readonly sweep = (into: number[]): boolean => {
    for (const { start, units } of this.slabs) into.push(start, units)
    return this.isKnown
  }
}

function makePool(bytes: number): { pool: SlabPool; records: Records } {
  const records = new Records()
  return { pool: new SlabPool(allocateSlabs(bytes) as SharedArrayBuffer, records.sweep), records }
}

test('no memory is taken before the first slab, and none beyond the bound', () => {
  const { pool, records } = makePool(3 * MiB)
  assert.equal(pool.memory.byteLength, 0)
  const units = MiB / UNIT_BYTES
  for (let turn = 0; turn < 3; turn++) {
    const slab = pool.tryTake(units, holder)
    assert.equal(slab?.start, turn * units)
    records.slabs.push(slab as Slab)
  }
  assert.equal(pool.tryTake(1, holder), undefined)
  assert.equal(pool.memory.byteLength, 3 * MiB)
  assert.equal(pool.mayComeBack, true)
})

test('a pool of no bytes is none; one of less than a unit, too', () => {
  assert.equal(allocateSlabs(0), undefined)
  assert.equal(allocateSlabs(UNIT_BYTES - 1), undefined)
})

test('what no record refers to any more is given again, also as larger pieces', () => {
  const { pool, records } = makePool(MiB)
  const quarter = MiB / 4 / UNIT_BYTES
  const slabs = [0, 1, 2, 3].map(() => pool.tryTake(quarter, holder) as Slab)
  for (const slab of slabs) slab.isPassedOn = true
  pool.letGoPassedOn()
  records.slabs = [slabs[0], slabs[3]]
  assert.equal(pool.tryTake(2 * quarter, holder)?.start, quarter, 'where two were')
  assert.equal(pool.tryTake(1, holder), undefined)
  records.slabs = []
  assert.equal(pool.tryTake(quarter, holder)?.start, 0)
})

test('what is in hand is given to nobody else until its holder lets it go', () => {
  const { pool } = makePool(MiB)
  const all = MiB / UNIT_BYTES
  const other = {}
  pool.tryTake(all / 2, holder)
  pool.tryTake(all / 2, other)
  assert.equal(pool.held, 2)
  assert.equal(pool.tryTake(1, holder), undefined)
  assert.equal(pool.mayComeBack, false, 'nobody else has any')
  pool.letGo(other)
  assert.equal(pool.tryTake(all / 2, holder)?.start, all / 2)
})

test('while a record may refer to anything, nothing is given', () => {
  const { pool, records } = makePool(MiB)
  records.isKnown = false
  assert.equal(pool.tryTake(1, holder), undefined)
  assert.equal(pool.mayComeBack, true)
  records.isKnown = true
  assert.equal(pool.tryTake(1, holder)?.start, 0)
})

test('a new life knows what is in use by the records alone', () => {
  const { pool, records } = makePool(MiB)
  records.slabs.push(pool.tryTake(10, holder) as Slab)
  pool.tryTake(20, holder)
  const next = new SlabPool(pool.memory, records.sweep)
  assert.equal(next.tryTake(5, holder)?.start, 10)
})

test('slabs in use never overlap, whatever is taken, passed on and given back', () => {
  const step = fc.record({
    do: fc.constantFrom('take', 'take', 'take', 'pass', 'give back', 'let go', 'die'),
    units: fc.integer({ min: 1, max: 300 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let { pool, records } = makePool(1000 * UNIT_BYTES)
      let hand: Slab[] = []
      for (const { do: what, units } of steps) {
        if (what === 'take') {
          const slab = pool.tryTake(units, holder)
          const inUse = [...hand, ...records.slabs]
          if (slab === undefined) assert.ok(!fits(inUse, units), 'there was room')
          else hand.push(slab)
          assertApart([...hand, ...records.slabs])
        } else if (what === 'pass') {
          const slab = hand.shift()
          if (slab === undefined) continue
          slab.isPassedOn = true
          pool.letGoPassedOn()
          records.slabs.push(slab)
        } else if (what === 'give back') records.slabs.splice(units % (records.slabs.length + 1), 1)
        else if (what === 'let go') {
          pool.letGo(holder)
          hand = []
        } else {
          pool = new SlabPool(pool.memory, records.sweep)
          hand = []
        }
      }
    }),
  )
})

function assertApart(slabs: readonly Slab[]): void {
  const sorted = slabs.toSorted((one, other) => one.start - other.start)
  for (const [index, slab] of sorted.entries()) {
    const end = slab.start + slab.units
    assert.ok(end <= 1000 && (index + 1 === sorted.length || end <= sorted[index + 1].start))
  }
}

function fits(slabs: readonly Slab[], units: number): boolean {
  let free = 0
  for (const slab of slabs.toSorted((one, other) => one.start - other.start)) {
    if (slab.start - free >= units) return true
    free = slab.start + slab.units
  }
  return 1000 - free >= units
}

test('what is known to be free is still given while nobody knows what a reader has in hand', () => {
  const { pool, records } = makePool(8 * MiB)
  const units = MiB / UNIT_BYTES
  // The memory has grown to four slabs, which are free.
  for (let slab = 0; slab < 4; slab++) pool.tryTake(units, holder)
  pool.letGo(holder)
  assert.equal(pool.tryTake(units, holder)?.start, 0)
  records.isKnown = false
  const starts = [1, 2, 3].map(() => pool.tryTake(units, holder)?.start)
  assert.deepEqual(
    starts,
    [1, 2, 3].map((slab) => slab * units),
  )
  assert.equal(pool.tryTake(units, holder), undefined)
})
