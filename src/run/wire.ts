/** Joins stages by queues and allocates all shared memory of a run, before the first item is read. */
import { availableParallelism } from 'node:os'
import { invalidOption, MillraceError } from '../errors.ts'
import { allocateCounters } from '../observe/counters.ts'
import { BoundedQueue, type BoundedQueueOptions, sameStop } from '../queue/bounded-queue.ts'
import { StopEvent } from '../queue/stop-event.ts'
import type { PipelineStage } from './stage.ts'

export interface RunQueue {
  from: string
  to: string
  queue: BoundedQueue
}

/** The stages of a run, joined. */
export interface Wiring {
  pipeline: string
  stages: readonly PipelineStage[]
  queues: readonly RunQueue[]
  stop: StopEvent
}

/** How often a worker looks before it sleeps, where every thread may have a core of its own. */
const SPINS = 2_000

/**
 * @param given queues between neighbours that have none of their own
 * @throws MILLRACE_DUPLICATE_STAGE, MILLRACE_STOP_NOT_LINKED, MILLRACE_INVALID_OPTION
 */
export function wire(pipeline: string, stages: readonly PipelineStage[], given?: StopEvent): Wiring {
  checkStages(stages)
  const stop = findStop(stages, given) ?? new StopEvent({ doorbells: 4 * stages.length + 16 })
  const threads = stages.filter((stage) => stage.host === 'thread').length
  const spins = threads <= availableParallelism() ? SPINS : 0
  const counters = allocateCounters(stages.length)
  const queues: RunQueue[] = []
  let before: BoundedQueue | undefined
  for (const [index, stage] of stages.entries()) {
    const next = stages[index + 1]
    const input = stage.options.input ?? before
    const output = stage.options.output ?? next?.options.input ?? (next && makeQueue(stage, next, stop))
    stage.connect({ pipeline, input, output, stop, counters, index, spins })
    if (output !== undefined && next !== undefined)
      queues.push({ from: stage.name, to: next.name, queue: output })
    before = output
  }
  return { pipeline, stages, queues, stop }
}

function makeQueue(from: PipelineStage, to: PipelineStage, stop: StopEvent): BoundedQueue {
  const { capacity, capacityBytes } = to.options
  const options: BoundedQueueOptions = { name: `${from.name} to ${to.name}`, stop }
  if (capacity !== undefined) options.capacity = capacity
  if (capacityBytes !== undefined) options.capacityBytes = capacityBytes
  return new BoundedQueue(options)
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
