/**
 * Joins stages that were made by hand: a chain, one worker each, with the queues that they bring along.
 *
 * An end of a queue that was brought belongs to a thread, the first that comes. A stage takes its ends before its
 * thread is there, under a number that no thread has; so nobody else can, and only its supervisor can say it is gone.
 */
import { invalidOption, MillraceError } from '../errors.ts'
import { allocateControl } from '../host/stage-control.ts'
import { allocateCounters } from '../observe/counters.ts'
import { BoundedQueue, sameStop } from '../queue/bounded-queue.ts'
import { QueueMemory, type Role } from '../queue/queue-memory.ts'
import { StopEvent } from '../queue/stop-event.ts'
import type { StageEnd } from './connections.ts'
import { RunQueue } from './run-queue.ts'
import type { PipelineStage } from './stage.ts'
import { planByHand, workByHand } from './stage-work.ts'
import { spinsFor, type Wiring } from './wire.ts'

/** Greater than the number of any thread. */
let nextHolder = 2 ** 30

const DEFAULT_CAPACITY = 64
const DEFAULT_CAPACITY_BYTES = 16 * 2 ** 20

interface Joint {
  queue: BoundedQueue
  end: number
}

/** A stage with what it is joined to. */
interface Part {
  stage: PipelineStage
  /** The one bell that its worker sleeps on. */
  bell: number
  input: Joint | undefined
  output: Joint | undefined
  /** Why it cannot be started: an end that it needs is another's. */
  refused: unknown
}

/**
 * @param given stop event of queues between neighbours that have none of their own
 * @throws MILLRACE_DUPLICATE_STAGE, MILLRACE_STOP_NOT_LINKED, MILLRACE_INVALID_OPTION
 */
export function wireParts(pipeline: string, stages: readonly PipelineStage[], given?: StopEvent): Wiring {
  checkStages(stages)
  const stop = findStop(stages, given) ?? new StopEvent({ doorbells: 4 * stages.length + 16 })
  const parts = stages.map((stage, index) => {
    const { input = stages[index - 1]?.options.output } = stage.options
    const { output = stages[index + 1]?.options.input } = stage.options
    return bring(stage, input, output, stop)
  })
  for (const [index, part] of parts.slice(1).entries()) {
    if (part.input === undefined && part.refused === undefined) join(parts[index], part, stop)
  }
  return connect(pipeline, parts, stop, spinsFor(stages.map(({ host }) => ({ host, maxWorkers: 1 }))))
}

/** A stage that runs by itself. @throws MILLRACE_STOP_NOT_LINKED */
export function connectAlone(stage: PipelineStage): void {
  const { input, output, stop } = stage.options
  const shared = sameStop(stage.name, stop, input, output) ?? new StopEvent()
  connect(stage.name, [bring(stage, input, output, shared)], shared, 0)
}

/** Takes its ends of the queues that were brought. */
function bring(
  stage: PipelineStage,
  input: BoundedQueue | undefined,
  output: BoundedQueue | undefined,
  stop: StopEvent,
): Part {
  const holder = nextHolder++
  let refused: unknown
  const take = (queue: BoundedQueue | undefined, role: Role): Joint | undefined => {
    try {
      return queue && { queue, end: queue.memory.claim(role, holder) }
    } catch (error) {
      refused = error
      return undefined
    }
  }
  const [into, from] = [take(input, 'consumer'), take(output, 'producer')]
  const bells = [into && bellOf(into, 'consumer'), from && bellOf(from, 'producer')]
  const bell = bells.find((one) => one !== undefined) ?? stop.takeDoorbell()
  if (bells[0] !== undefined && bells[1] !== undefined && bells[0] !== bells[1]) {
    stop.doorbell(bells[1]).linkTo(stop.doorbell(bells[0]))
  }
  return { stage, bell, input: into, output: from, refused }
}

function bellOf({ queue, end }: Joint, role: Role): number {
  return queue.memory.bell(role, end)
}

/** Makes the queue between neighbours that brought none. */
function join(from: Part, to: Part, stop: StopEvent): void {
  const { capacity = DEFAULT_CAPACITY, capacityBytes = DEFAULT_CAPACITY_BYTES } = to.stage.options
  const name = `${from.stage.name} to ${to.stage.name}`
  const memory = QueueMemory.allocate({ name, capacity, capacityBytes, producers: 1, consumers: 1 }, stop, {
    producers: [from.bell],
    consumers: [to.bell],
  })
  const queue = new BoundedQueue(memory)
  from.output = { queue, end: memory.claim('producer', nextHolder++) }
  to.input = { queue, end: memory.claim('consumer', nextHolder++) }
}

function connect(pipeline: string, parts: readonly Part[], stop: StopEvent, spins: number): Wiring {
  const counters = allocateCounters(parts.length)
  const control = allocateControl(parts.length)
  const queues: RunQueue[] = []
  let before: StageEnd | undefined
  const ends = parts.map(({ stage, input, output }, index) => {
    const isJoined = before?.queue.memory === input?.queue.memory
    const from = parts[index - 1]?.stage.name ?? ''
    const into = input && {
      ends: [input.end],
      queue: (isJoined && before?.queue) || look(input, from, stage.name),
    }
    const to = parts[index + 1]?.stage.name ?? ''
    const out = output && { ends: [output.end], queue: look(output, stage.name, to) }
    if (out !== undefined && index < parts.length - 1) queues.push(out.queue)
    before = out
    return { into, out }
  })
  for (const [index, { stage, bell, input, output, refused }] of parts.entries()) {
    const { into, out } = ends[index]
    const kind = into === undefined ? 'source' : out === undefined ? 'sink' : 'stage'
    const connections = {
      pipeline,
      plan: planByHand(stage.options, kind),
      stop,
      control: { memory: control, index },
      counters,
      firstIndex: index,
      bells: [bell],
      inputs: into === undefined ? [] : [{ ...into, upstream: undefined, isFromOutside: true }],
      outputs: out === undefined ? [] : [out],
      deadLetters: undefined,
      releaseBells: [],
      lowWater: into === undefined ? { queues, maxInFlight: undefined } : undefined,
      spins,
      slabs: undefined,
      byHand: { input: input?.queue, output: output?.queue, refused },
    }
    stage.connect(connections, workByHand(stage.options, kind))
  }
  return { pipeline, stages: parts.map(({ stage }) => stage), queues, stop }
}

function look({ queue }: Joint, from: string, to: string): RunQueue {
  return new RunQueue(queue.memory, {
    from,
    to,
    branch: undefined,
    kind: 'items',
    overflow: 'block',
    isPartitioned: false,
  })
}

function findStop(stages: readonly PipelineStage[], given: StopEvent | undefined): StopEvent | undefined {
  let stop = given
  for (const stage of stages) {
    stop ??= stage.options.stop
    stop = sameStop(stage.name, stop, stage.options.input, stage.options.output)
  }
  return stop
}

function checkStages(stages: readonly PipelineStage[]): void {
  if (stages.length < 2)
    throw invalidOption('pipeline', 'stages', 'a source and a sink at least', stages.length)
  const names = new Set<string>()
  for (const { name } of stages) {
    if (names.has(name)) {
      throw new MillraceError('MILLRACE_DUPLICATE_STAGE', `two stages are named "${name}"`, { stage: name })
    }
    names.add(name)
  }
}
