/** From a plan to stages that are joined: allocates all shared memory of a run, before the first item is read. */
import { availableParallelism } from 'node:os'
import { allocateControl } from '../host/stage-control.ts'
import { allocateCounters } from '../observe/counters.ts'
import type { Plan, PlannedQueue, PlannedStage } from '../plan/plan.ts'
import { QueueMemory } from '../queue/queue-memory.ts'
import { StopEvent } from '../queue/stop-event.ts'
import type { StageConnections, StageEnd, StageInput } from './connections.ts'
import { inTopologicalOrder, upstreamOf, waitersOf } from './merge-paths.ts'
import { RunQueue } from './run-queue.ts'
import type { PipelineStage } from './stage.ts'
import { type StageSlabs, wireSlabs } from './wire-slabs.ts'

/** The stages of a run, joined. */
export interface Wiring {
  pipeline: string
  stages: readonly PipelineStage[]
  queues: readonly RunQueue[]
  stop: StopEvent
}

/** How often a worker looks before it sleeps, where every thread may have a core of its own. */
const SPINS = 2_000
/** The lanes of a queue reserve at most so much, if they can. What is not written to is not in memory. */
const MOST_QUEUE_BYTES = 2 ** 30

/**
 * @param stages in the order of the plan's
 * @throws MILLRACE_INVALID_OPTION
 */
export function wirePlan(plan: Plan, stages: readonly PipelineStage[], given?: StopEvent): Wiring {
  const workers = plan.stages.reduce((sum, { maxWorkers }) => sum + maxWorkers, 0)
  const stop = given ?? new StopEvent({ doorbells: workers })
  const bells = new Map(
    plan.stages.map(({ name, maxWorkers }) => [
      name,
      Array.from({ length: maxWorkers }, () => stop.takeDoorbell()),
    ]),
  )
  const queues = new Map<PlannedQueue, RunQueue>()
  for (const planned of inTopologicalOrder(plan)) {
    queues.set(planned, allocateQueue(planned, plan, stop, bells))
  }
  const shared = { counters: allocateCounters(workers), control: allocateControl(stages.length) }
  const slabs = wireSlabs({ plan, bells, queues })
  const wired: WiredPlan = { plan, stop, bells, queues, shared, slabs, spins: spinsFor(plan.stages) }
  let firstIndex = 0
  for (const [index, stage] of stages.entries()) {
    stage.connect(connectionsOf(plan.stages[index], index, firstIndex, wired))
    firstIndex += plan.stages[index].maxWorkers
  }
  return { pipeline: plan.pipeline, stages, queues: plan.queues.map((queue) => find(queues, queue)), stop }
}

interface WiredPlan {
  plan: Plan
  stop: StopEvent
  bells: ReadonlyMap<string, number[]>
  /** Upstream first. */
  queues: ReadonlyMap<PlannedQueue, RunQueue>
  shared: { counters: SharedArrayBuffer; control: SharedArrayBuffer }
  slabs: ReadonlyMap<string, StageSlabs>
  spins: number
}

function allocateQueue(
  queue: PlannedQueue,
  plan: Plan,
  stop: StopEvent,
  bells: ReadonlyMap<string, number[]>,
): RunQueue {
  const { from, to, branch, kind, overflow, isPartitioned, capacity, capacityBytes } = queue
  const ends = { producers: bells.get(from) ?? [], consumers: bells.get(to) ?? [] }
  const [producers, consumers] = [ends.producers.length, ends.consumers.length]
  const shape = {
    name: `${from} to ${to}`,
    capacity,
    capacityBytes,
    producers,
    consumers,
    laneBytes: laneBytes(capacityBytes, producers * consumers),
  }
  const memory = QueueMemory.allocate(shape, stop, ends)
  openEnds(memory, 'producer', from, plan)
  openEnds(memory, 'consumer', to, plan)
  return new RunQueue(memory, { from, to, branch, kind, overflow, isPartitioned })
}

/** Those of workers that are not there yet are parked: nothing is sent to them, and nobody waits for them. */
function openEnds(memory: QueueMemory, role: 'producer' | 'consumer', name: string, plan: Plan): void {
  const { workers, maxWorkers } = plan.stages.find((stage) => stage.name === name) as PlannedStage
  for (let worker = 0; worker < maxWorkers; worker++) {
    if (worker < workers) memory.openEnd(role, worker)
    else memory.park(role, worker)
  }
}

/** Every lane can hold the largest item, unless there are so many lanes that it would be too much. */
export function laneBytes(capacityBytes: number, lanes: number): number {
  if (lanes * capacityBytes <= MOST_QUEUE_BYTES) return capacityBytes
  return Math.floor(Math.max(capacityBytes, MOST_QUEUE_BYTES) / lanes)
}

function connectionsOf(
  stage: PlannedStage,
  index: number,
  firstIndex: number,
  wired: WiredPlan,
): StageConnections {
  const { plan, stop, bells, shared, spins } = wired
  const own = bells.get(stage.name) ?? []
  const ends = own.map((_, worker) => worker)
  const written = plan.queues.filter(({ from }) => from === stage.name)
  const writing = (kind: PlannedQueue['kind']): StageEnd[] =>
    written
      .filter((queue) => queue.kind === kind)
      .map((queue) => ({ queue: find(wired.queues, queue), ends }))
  return {
    pipeline: plan.pipeline,
    plan: stage,
    stop,
    control: { memory: shared.control, index },
    counters: shared.counters,
    firstIndex,
    bells: own,
    inputs: plan.queues
      .filter(({ to }) => to === stage.name)
      .map(
        (queue): StageInput => ({
          queue: find(wired.queues, queue),
          ends,
          upstream: upstream(queue, wired),
          isFromOutside: plan.stages.some(({ name, kind }) => name === queue.from && kind === 'source'),
        }),
      ),
    outputs: writing('items'),
    deadLetters: writing('dead-letters')[0],
    releaseBells: whoWaitsFor(stage, plan).flatMap((name) => bells.get(name) ?? []),
    lowWater:
      stage.kind === 'source'
        ? { queues: [...wired.queues.values()], maxInFlight: shareInFlight(plan) }
        : undefined,
    slabs: wired.slabs.get(stage.name),
    spins,
  }
}

/** Names of the stages that may wait for this one to give a record back. */
function whoWaitsFor(stage: PlannedStage, plan: Plan): string[] {
  const merging = waitersOf(plan).get(stage.name) ?? []
  return plan.run.maxInFlight === undefined ? [...merging] : [...merging, ...sourcesOf(plan)]
}

function sourcesOf(plan: Plan): string[] {
  return plan.stages.filter(({ kind }) => kind === 'source').map(({ name }) => name)
}

/** What one source may have under way: nothing is counted across sources. */
function shareInFlight(plan: Plan): number | undefined {
  const { maxInFlight } = plan.run
  return maxInFlight && Math.max(1, Math.floor(maxInFlight / sourcesOf(plan).length))
}

function upstream(queue: PlannedQueue, { plan, queues }: WiredPlan): RunQueue[] | undefined {
  return upstreamOf(queue, plan)?.map((other) => find(queues, other))
}

function find(queues: ReadonlyMap<PlannedQueue, RunQueue>, queue: PlannedQueue): RunQueue {
  return queues.get(queue) as RunQueue
}

/** Turns that a worker may look around before it sleeps. */
export function spinsFor(stages: readonly Pick<PlannedStage, 'host' | 'maxWorkers'>[]): number {
  const threads = stages.reduce((sum, stage) => sum + (stage.host === 'thread' ? stage.maxWorkers : 0), 0)
  return threads <= availableParallelism() ? SPINS : 0
}
