/** What is allocated and told before a run begins: lanes, bells, the queues that a merge looks at. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipeline } from '../../src/index.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { OPEN, PARKED, QueueMemory } from '../../src/queue/queue-memory.ts'
import { makeTask, type StageConnections } from '../../src/run/connections.ts'
import { upstreamOf, waitersOf } from '../../src/run/merge-paths.ts'
import { PipelineStage } from '../../src/run/stage.ts'
import { laneBytes, wirePlan } from '../../src/run/wire.ts'

const same = (item: number): number => item

/** A stage that remembers what it was connected to. */
class Recorder extends PipelineStage {
  connections!: StageConnections
  override connect(connections: StageConnections): void {
    this.connections = connections
    super.connect(connections)
  }
}

function wireRecorders(plan: Plan) {
  const stages = plan.stages.map(({ name }) => new Recorder({ name }, { definitions: [] }))
  const wiring = wirePlan(plan, stages)
  const of = (name: string): StageConnections =>
    (stages.find((stage) => stage.name === name) as Recorder).connections
  return { wiring, of }
}

/** numbers -> wide (3 of 5 workers) -> wider (2) -> end */
function wide(order: 'input' | 'completion' = 'input'): Plan {
  return makePlan(
    pipeline('wide')
      .source('numbers', () => [1])
      .stage('wide', same, { workers: 3, maxWorkers: 5, order })
      .stage('wider', same, { workers: 2, order })
      .sink('end', () => {}),
  )
}

test('a queue has a lane for each pair of workers that may come; those that are not there yet are parked', () => {
  const { wiring } = wireRecorders(wide())
  const [first, second] = wiring.queues.map(({ memory }) => memory)
  assert.deepEqual([first.producers, first.consumers], [1, 5])
  assert.deepEqual([second.producers, second.consumers], [5, 2])
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((worker) => first.state('consumer', worker)),
    [OPEN, OPEN, OPEN, PARKED, PARKED],
  )
  assert.deepEqual(
    [2, 3].map((worker) => second.state('producer', worker)),
    [OPEN, PARKED],
  )
})

test('every worker has one bell, for all its ends, and counters of its own', () => {
  const { of } = wireRecorders(wide())
  const tasks = ['numbers', 'wide', 'wider', 'end'].flatMap((name) =>
    of(name).bells.map((_, worker) => makeTask(of(name), worker, 1, undefined)),
  )
  assert.equal(new Set(tasks.map(({ bell }) => bell)).size, 9)
  assert.deepEqual(
    tasks.map(({ index }) => index),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  )
  for (const { bell, inputs, outputs } of tasks) {
    for (const { queue, consumer } of inputs)
      assert.equal(QueueMemory.from(queue).bell('consumer', consumer), bell)
    for (const { queue, producer } of outputs)
      assert.equal(QueueMemory.from(queue).bell('producer', producer), bell)
  }
})

test('a merge looks up to the queue out of the numbering point, and is woken by all on the way', () => {
  const plan = wide()
  const names = plan.queues.map((queue) => upstreamOf(queue, plan)?.map(({ from, to }) => `${from} ${to}`))
  assert.deepEqual(names, [undefined, ['numbers wide'], ['wide wider', 'numbers wide']])
  const waiters = waitersOf(plan)
  assert.deepEqual([...(waiters.get('wide') ?? [])], ['wider', 'end'])
  assert.deepEqual([...(waiters.get('wider') ?? [])], ['end'])
  assert.deepEqual([...(waiters.get('numbers') ?? [])], [])
  const { of } = wireRecorders(plan)
  assert.deepEqual(of('wide').releaseBells, [...of('wider').bells, ...of('end').bells])
})

test('where order does not matter nothing is merged', () => {
  const plan = wide('completion')
  assert.deepEqual(
    plan.queues.map((queue) => upstreamOf(queue, plan)),
    [undefined, undefined, undefined],
  )
  assert.deepEqual(wireRecorders(plan).of('wide').releaseBells, [])
})

test('a stage with one worker numbers anew: nobody looks past it', () => {
  const plan = makePlan(
    pipeline('narrow')
      .source('numbers', () => [1])
      .stage('wide', same, { workers: 2 })
      .stage('one', same)
      .stage('wide again', same, { workers: 2 })
      .sink('end', () => {}),
  )
  assert.deepEqual([...(waitersOf(plan).get('wide') ?? [])], ['one'])
  assert.deepEqual(
    upstreamOf(plan.queues[3], plan)?.map(({ from }) => from),
    ['one'],
  )
})

test('a source is told of all queues, upstream first', () => {
  const plan = makePlan(
    pipeline('letters')
      .source('numbers', () => [1])
      .stage('work', same, { onError: 'dead-letter' })
      .sink('end', () => {})
      .deadLetters('graveyard', () => {}),
    { run: { maxInFlight: 7 } },
  )
  const { of } = wireRecorders(plan)
  const { lowWater } = of('numbers')
  assert.deepEqual(
    lowWater?.queues.map(({ from, to }) => `${from} ${to}`),
    ['numbers work', 'work end', 'work graveyard'],
  )
  assert.equal(lowWater?.maxInFlight, 7)
  assert.equal(of('work').lowWater, undefined)
  assert.equal(of('work').deadLetters?.queue.kind, 'dead-letters')
  assert.equal(of('work').outputs.length, 1)
})

test('every lane holds the largest item, until there are too many lanes for that', () => {
  const MiB = 2 ** 20
  assert.equal(laneBytes(16 * MiB, 1), 16 * MiB)
  assert.equal(laneBytes(16 * MiB, 64), 16 * MiB)
  assert.equal(laneBytes(16 * MiB, 128), 8 * MiB)
  assert.equal(laneBytes(1500 * MiB, 1), 1500 * MiB)
  assert.equal(laneBytes(1500 * MiB, 3), 500 * MiB)
})
