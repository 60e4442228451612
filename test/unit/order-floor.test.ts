import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClaimingLaneReader } from '../../src/queue/claiming-lane-reader.ts'
import { LaneView } from '../../src/queue/lane.ts'
import { LaneReader } from '../../src/queue/lane-reader.ts'
import { QueueMemory } from '../../src/queue/queue-memory.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import { type GraphShape, type GraphWorker, SmallGraph } from '../support/small-graph.ts'

const RUNS = 1500
const seed = seedOfRun()
console.log(`MILLRACE_SEED=${seed}`)

type Random = () => number

const upTo = (random: Random, most: number) => Math.floor(random() * (most + 1))

/** Queues as tight as they may be, or a little wider. */
function anyShape(random: Random): GraphShape {
  const middle = random() < 0.7 ? [3, 2] : random() < 0.5 ? [3] : [2, 3, 2]
  const salt = upTo(random, 1000)
  const counts = [1, ...middle, 1]
  return {
    items: 1 + upTo(random, 25),
    middle,
    capacities: counts.slice(1).map((_, stage) => counts[stage] + upTo(random, 3)),
    overflow: counts.slice(1).map(() => 'block'),
    // Also where the count runs over, signed and unsigned.
    firstOrder: [0, 2 ** 31 - 4, -4, -(2 ** 31)][upTo(random, 3)],
    ahead: 1 + upTo(random, 1),
    fan: (stage, value) => {
      const mixed = value.reduce((sum, part) => Math.imul(sum ^ (part + stage), 0x45d9f3b) >>> 3, salt + 7)
      return [0, 0, 1, 1, 1, 2, 3][mixed % 7]
    },
  }
}

/** The workers that are in the middle of a step: others step between two of its looks at shared memory. */
const stepping: GraphWorker[] = []
let betweenLooks = () => {}
hook(LaneView.prototype, 'headOrder')
hook(LaneReader.prototype, 'level')
hook(ClaimingLaneReader.prototype, 'isEmpty')
hook(ClaimingLaneReader.prototype, 'claim')
hook(QueueMemory.prototype, 'state')

/** Lets others step before and after each call. */
function hook<Name extends string>(prototype: Record<Name, (...args: never[]) => unknown>, name: Name): void {
  const original = prototype[name]
  prototype[name] = function (...args) {
    betweenLooks()
    const result = original.apply(this, args)
    betweenLooks()
    return result
  }
}

function stepOne(graph: SmallGraph, random: Random): void {
  const awake = graph.awake.filter((worker) => !stepping.includes(worker))
  if (awake.length === 0) return
  const worker = awake[upTo(random, awake.length - 1)]
  stepping.push(worker)
  try {
    worker.step()
  } finally {
    stepping.pop()
  }
}

/** @param dies how often, at each step, a worker dies between two of its own */
function runToEnd(graph: SmallGraph, random: Random, dies: number): void {
  const busy = random() * 0.2
  betweenLooks = () => {
    if (stepping.length > 0 && stepping.length < 4 && random() < busy) stepOne(graph, random)
  }
  while (!graph.isDone) {
    if (graph.awake.length === 0) {
      assert.ok(graph.isPaused && graph.isEmpty, `nobody can move\n${graph.explain()}`)
      graph.resume()
    }
    stepOne(graph, random)
    if (random() < dies) {
      const left = graph.workers.filter((worker) => !worker.isDone)
      if (left.length > 0) left[upTo(random, left.length - 1)].restart()
    }
  }
}

function manyRuns(check: (random: Random) => void): void {
  for (let run = 0; run < RUNS; run++) {
    const its = seed + run
    try {
      check(randomFrom(its))
    } catch (error) {
      ;(error as Error).message = `with seed ${its}: ${(error as Error).message}`
      throw error
    }
  }
}

test('whatever the workers make of items, and in whatever turns, they arrive in order, and nobody waits for ever', () => {
  manyRuns((random) => {
    const graph = new SmallGraph(anyShape(random))
    runToEnd(graph, random, 0)
    assert.deepEqual(graph.received, graph.expected())
  })
})

test('so it is when workers die at any point and take up again where they were', () => {
  manyRuns((random) => {
    const graph = new SmallGraph(anyShape(random))
    runToEnd(graph, random, 0.2)
    assert.deepEqual(graph.received, graph.expected())
  })
})

/** In order, nothing twice, and what did not come was counted. */
function checkLossy(graph: SmallGraph): void {
  const numbers = graph.received.map(([item]) => item)
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  )
  assert.equal(new Set(numbers).size, numbers.length)
  const dropped = graph.queues.reduce((sum, memory) => sum + memory.dropped, 0)
  assert.equal(numbers.length + dropped, graph.shape.items)
}

test('when queues drop the oldest, what is left comes in order, the newest does, and the counts balance', () => {
  manyRuns((random) => {
    const shape = anyShape(random)
    const overflow = shape.overflow.map(() => (random() < 0.5 ? 'drop-old' : 'block'))
    const graph = new SmallGraph({ ...shape, overflow, ahead: 1, fan: () => 1 })
    runToEnd(graph, random, 0)
    checkLossy(graph)
    assert.equal(graph.received.at(-1)?.[0], shape.items, 'the newest')
  })
})

test('when queues refuse what finds no room, what was put comes in order, and the counts balance', () => {
  manyRuns((random) => {
    const shape = anyShape(random)
    const overflow = shape.overflow.map(() => (random() < 0.5 ? 'drop-new' : 'block'))
    const graph = new SmallGraph({ ...shape, overflow, fan: () => 1 })
    runToEnd(graph, random, 0)
    checkLossy(graph)
  })
})
