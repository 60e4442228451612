// How many workers there are, and how large the queues between them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BatchOptions } from '../../src/define/batch-options.ts'
import type { StageOptions } from '../../src/define/stage-options.ts'
import { begun, ignore, linksOf, planOf, refuses, same, stageOf, withOptions } from '../support/plans.ts'

const auto = { workers: 'auto' } as const
const MIB = 2 ** 20

test('"auto" is what the threads of the other stages leave of the cores, and one at least', () => {
  const workersOn = (cores: number) => stageOf(planOf(withOptions(auto), { cores }), 'x').workers
  assert.deepEqual([1, 2, 3, 4, 8, 64].map(workersOn), [1, 1, 1, 2, 6, 62])
})

test('stages with "auto" share the cores evenly; a stage on the loop takes none', () => {
  const plan = planOf(
    begun()
      .stage('x', same, auto)
      .stage('y', same, auto)
      .stage('z', same, { workers: 3 })
      .sink('out', ignore, { on: 'loop' }),
    { cores: 16 },
  )
  assert.deepEqual(
    plan.stages.map(({ workers, maxWorkers }) => [workers, maxWorkers]),
    [
      [1, 1],
      [6, 6],
      [6, 6],
      [3, 3],
      [1, 1],
    ],
  )
  assert.deepEqual(plan.notes, [
    'stage "x": workers "auto" is 6: 16 cores, 4 other threads',
    'stage "y": workers "auto" is 6: 16 cores, 4 other threads',
  ])
})

test('"auto" heeds native threads, its own and those of others, and maxWorkers', () => {
  const workersOf = (options: StageOptions<number>, others: StageOptions<number> = {}) =>
    stageOf(planOf(begun().stage('x', same, options).sink('out', ignore, others), { cores: 16 }), 'x').workers
  assert.equal(workersOf(auto), 14)
  assert.equal(workersOf({ ...auto, nativeThreads: 1 }), 7)
  assert.equal(workersOf(auto, { nativeThreads: 4 }), 10)
  assert.equal(workersOf({ ...auto, maxWorkers: 5 }), 5)
  assert.equal(workersOf({ ...auto, maxWorkers: 20 }), 14)
})

test('"auto" is at most 256', () => {
  assert.equal(stageOf(planOf(withOptions(auto), { cores: 1000 }), 'x').workers, 256)
})

test('without a word on the cores, those of this process are shared out', () => {
  assert.ok(stageOf(planOf(withOptions(auto), { cores: undefined as never }), 'x').workers >= 1)
})

test('a note says that threads outnumber the cores, if many were asked for', () => {
  const notesOf = (options: StageOptions<number>, cores: number) =>
    planOf(withOptions(options), { cores }).notes
  assert.deepEqual(notesOf({ workers: 3 }, 5), [])
  assert.deepEqual(notesOf({ workers: 3 }, 4), ['5 threads share 4 cores'])
  assert.deepEqual(notesOf({ workers: 2, nativeThreads: 4 }, 8), [
    '4 threads and 8 native threads share 8 cores',
  ])
  assert.deepEqual(notesOf({ on: 'loop', nativeThreads: 1 }, 1), [
    '2 threads and 1 native thread share 1 core',
  ])
  // A chain of single workers is what everybody writes.
  assert.deepEqual(notesOf({}, 1), [])
  assert.deepEqual(notesOf(auto, 1), ['stage "x": workers "auto" is 1: 1 core, 2 other threads'])
})

const capacitiesOf = (options: StageOptions<number>, sink: StageOptions<number> = {}) =>
  planOf(begun().stage('x', same, options).sink('out', ignore, sink), { cores: 2000 }).queues.map(
    ({ capacity }) => capacity,
  )

test('a queue has the capacity that its reader asks for', () => {
  const [first, second] = planOf(
    withOptions({ capacity: 5, capacityBytes: 4096, overflow: 'drop-new', by: same }),
  ).queues
  assert.deepEqual(first, {
    from: 'in',
    to: 'x',
    capacity: 5,
    capacityBytes: 4096,
    overflow: 'drop-new',
    isPartitioned: true,
    isSorted: true,
    kind: 'items',
  })
  assert.deepEqual([second.capacity, second.capacityBytes, second.overflow], [64, 16 * MIB, 'block'])
})

test('a queue has room for one item of each worker on both sides', () => {
  assert.deepEqual(capacitiesOf({ workers: 4, capacity: 2 }, { capacity: 1 }), [4, 4])
  assert.deepEqual(capacitiesOf({ workers: 4, maxWorkers: 100 }), [100, 100])
  assert.deepEqual(capacitiesOf({ workers: 4, capacity: 4 }), [4, 64])
})

test('a queue has room for what its readers have in hand', () => {
  assert.deepEqual(capacitiesOf({ concurrency: 100 }), [100, 64])
  assert.deepEqual(capacitiesOf({ concurrency: 100, workers: 3 }), [300, 64])
  assert.deepEqual(capacitiesOf({ concurrency: 10 }), [64, 64])
})

const batchQueue = (batch: BatchOptions<number>, writers = 1, readers = 1, capacity?: number) => {
  const sink: StageOptions = capacity === undefined ? { workers: readers } : { workers: readers, capacity }
  const plan = planOf(begun().stage('x', same, { workers: writers }).batch(batch).sink('out', ignore, sink))
  return { ...plan.queues[1], notes: plan.notes, size: stageOf(plan, 'out').batch?.size }
}

test('a queue has room for two batches, and for one between any two workers', () => {
  const sizes: [writers: number, readers: number, capacity: number][] = [
    [1, 1, 200],
    [2, 1, 200],
    [1, 3, 300],
    [4, 4, 1600],
  ]
  for (const [writers, readers, capacity] of sizes)
    assert.equal(batchQueue({ size: 100 }, writers, readers).capacity, capacity)
  assert.equal(batchQueue({ size: 10 }).capacity, 64)
})

test('a batch without a size has as many items as the queue was asked to hold', () => {
  assert.deepEqual([batchQueue({ withinMs: 5 }).size, batchQueue({ withinMs: 5 }).capacity], [64, 128])
  const asked = batchQueue({ bytes: 100 }, 1, 1, 10)
  assert.deepEqual([asked.size, asked.capacity], [10, 20])
})

test('a queue has bytes for two batches between any two workers', () => {
  assert.equal(batchQueue({ bytes: MIB }).capacityBytes, 16 * MIB)
  assert.equal(batchQueue({ bytes: 10 * MIB }).capacityBytes, 20 * MIB)
  assert.equal(batchQueue({ bytes: 4 * MIB }, 2, 3).capacityBytes, 48 * MIB)
})

test('every lane has bytes for an item', () => {
  const plan = planOf(withOptions({ workers: 100, capacityBytes: 64 }), { cores: 1000 })
  assert.equal(plan.queues[0].capacityBytes, 6400)
})

test('a note says that a capacity which was asked for is raised', () => {
  const notesOf = (options: StageOptions<number>) => planOf(withOptions(options)).notes
  assert.deepEqual(notesOf({ workers: 4, capacity: 2 }), [
    'queue in -> x: capacity is 4, not 2: one for each of 4 workers',
  ])
  assert.deepEqual(notesOf({ concurrency: 9, capacity: 2 }), [
    'queue in -> x: capacity is 9, not 2: a worker has 9 in hand',
  ])
  assert.deepEqual(notesOf({ concurrency: 9, workers: 2, capacity: 2 }), [
    'queue in -> x: capacity is 18, not 2: each of 2 workers has 9 in hand',
  ])
  assert.deepEqual(notesOf({ concurrency: 100 }), [])
  assert.deepEqual(batchQueue({ size: 4 }, 1, 1, 5).notes, [
    'queue x -> out: capacity is 8, not 5: batches of 4',
  ])
  assert.deepEqual(batchQueue({ size: 4 }, 2, 3, 5).notes, [
    'queue x -> out: capacity is 24, not 5: batches of 4 from 2 to 3 workers',
  ])
})

test('batches that no queue has room for are refused', () => {
  const batched = (batch: BatchOptions<number>) =>
    begun().stage('x', same, { workers: 4 }).batch(batch).sink('out', ignore, { workers: 4 })
  refuses(
    batched({ size: 70_000 }),
    'MILLRACE_INVALID_OPTION',
    'stage "out": capacity must be at least 1120000 for batches of 70000 from 4 to 4 workers, and at most 1048576, got 64',
  )
  refuses(
    batched({ bytes: 2 ** 29 }),
    'MILLRACE_INVALID_OPTION',
    'stage "out": capacityBytes must be at least 17179869184 for batches of 536870912 bytes from 4 to 4 workers, and at most 2146435072, got 16777216',
  )
})

test('every queue into a stage has its capacity', () => {
  const plan = planOf(
    begun()
      .broadcast({ a: (n) => n, b: (n) => n.stage('x', same, { workers: 3 }) })
      .merge()
      .sink('out', ignore, { capacity: 2 }),
  )
  assert.deepEqual(linksOf(plan), ['in -b-> x', 'in -a-> out', 'x -> out'])
  assert.deepEqual(
    plan.queues.map(({ capacity }) => capacity),
    [64, 2, 3],
  )
})

test('at most 1023 workers send to one stage; to one that takes batches, 511', () => {
  const wide = (branches: number, last: number, isBatch: boolean) => {
    const merged = begun()
      .broadcast(
        Object.fromEntries(
          Array.from({ length: branches }, (_, index) => [
            `b${index}`,
            (n: ReturnType<typeof begun>) =>
              n.stage(`x${index}`, same, { workers: index === branches - 1 ? last : 256 }),
          ]),
        ),
      )
      .merge()
    return isBatch ? merged.batch({ size: 1 }).sink('out', ignore) : merged.sink('out', ignore)
  }
  const context = { cores: 5000 }
  assert.equal(planOf(wide(4, 255, false), context).queues.length, 8)
  const code = 'MILLRACE_TOO_MANY_WORKERS'
  refuses(wide(4, 256, false), code, 'stage "out": 1024 workers send to it; it can have 1023', context)
  assert.equal(planOf(wide(2, 255, true), context).queues.length, 4)
  refuses(wide(2, 256, true), code, 'stage "out": 512 workers send to it; it can have 511', context)
})
