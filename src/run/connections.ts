/** What a run gives to each of its stages: its shared memory, and its ends of the queues. */
import type { Verdict, WorkerTask } from '../host/worker-task.ts'
import type { PlannedStage } from '../plan/plan.ts'
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { Ways } from '../queue/low-water.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import type { RunQueue } from './run-queue.ts'
import type { StageSlabs } from './wire-slabs.ts'

/** A stage's side of a queue. */
export interface StageEnd {
  queue: RunQueue
  /** Number of the end that each worker holds: its own number, unless a queue was brought along. */
  ends: readonly number[]
}

export interface StageInput extends StageEnd {
  /** Set where the lanes are merged by order: the queues that lead to them, the nearest first. */
  upstream: readonly RunQueue[] | undefined
  isFromOutside: boolean
}

export interface StageConnections {
  pipeline: string
  plan: PlannedStage
  stop: StopEvent
  /** Shared words of all stages, and which of them are this one's. */
  control: { memory: SharedArrayBuffer; index: number }
  /** Counters of all workers of the run; those of the stage's first worker. */
  counters: SharedArrayBuffer
  firstIndex: number
  /** The bell of each worker, on the stop event's board. */
  bells: readonly number[]
  inputs: readonly StageInput[]
  outputs: readonly StageEnd[]
  deadLetters: StageEnd | undefined
  /** Bells of those who may wait for a worker of this stage to give an item back. */
  releaseBells: readonly number[]
  /** Of a source: the queues of the run, upstream first. */
  lowWater: { queues: readonly RunQueue[]; maxInFlight: number | undefined } | undefined
  spins: number
  /** Undefined: all binaries are copied. */
  slabs: StageSlabs | undefined
  /** The queues of a stage that was made by hand, and why it cannot be started, if it cannot. */
  byHand?: { input: BoundedQueue | undefined; output: BoundedQueue | undefined; refused: unknown }
}

/** What the worker of that number is told at the beginning of that life. */
export function makeTask(
  connections: StageConnections,
  worker: number,
  life: number,
  verdict: Verdict | undefined,
): WorkerTask {
  const { pipeline, plan, stop, control, counters, firstIndex, lowWater, slabs } = connections
  const output = ({ queue, ends }: StageEnd) => ({
    queue: queue.memory.handle,
    producer: ends[worker],
    to: queue.to,
    branch: queue.branch,
    overflow: queue.overflow,
    isPartitioned: queue.isPartitioned,
  })
  return {
    place: { pipeline, stage: plan.name, worker },
    life,
    stage: plan,
    inputs: connections.inputs.map(({ queue, ends, upstream, isFromOutside }) => ({
      queue: queue.memory.handle,
      consumer: ends[worker],
      upstream: upstream?.map(({ memory }) => memory.handle),
      isFromOutside,
      overflow: queue.overflow,
    })),
    outputs: connections.outputs.map(output),
    deadLetters: connections.deadLetters && output(connections.deadLetters),
    stop: stop.handle,
    bell: connections.bells[worker],
    releaseBells: [...connections.releaseBells],
    counters,
    index: firstIndex + worker,
    control,
    verdict,
    lowWater: lowWater && {
      queues: lowWater.queues.map(({ memory }) => memory.handle),
      ways: waysFrom(plan.name, lowWater.queues),
      maxInFlight: lowWater.maxInFlight,
    },
    slabs: slabs && {
      ...slabs,
      worker: firstIndex + worker,
      queues: slabs.queues.map(({ memory }) => memory.handle),
    },
    spins: connections.spins,
  }
}

/** How items get from that stage to the sinks. */
export function waysFrom(source: string, queues: readonly RunQueue[]): Ways {
  const filledBy = (stage: string): number[] =>
    queues.flatMap(({ from, kind }, index) => (from === stage && kind === 'items' ? [index] : []))
  return { first: filledBy(source), next: queues.map(({ to }) => filledBy(to)) }
}

/** Every end of a queue that the worker holds. */
export function endsOf(
  { inputs, outputs, deadLetters }: Pick<StageConnections, 'inputs' | 'outputs' | 'deadLetters'>,
  worker: number,
): { queue: RunQueue; role: 'producer' | 'consumer'; index: number }[] {
  const end =
    (role: 'producer' | 'consumer') =>
    ({ queue, ends }: StageEnd) => ({ queue, role, index: ends[worker] })
  const written = deadLetters === undefined ? outputs : [...outputs, deadLetters]
  return [...inputs.map(end('consumer')), ...written.map(end('producer'))]
}
