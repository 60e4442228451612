/** What a stage may be told, and what it tells. */
import type { ResourceLimits } from 'node:worker_threads'
import { type HostName, STAGE_OPTIONS } from '../define/stage-options.ts'
import { checkKnown, invalidOption } from '../errors.ts'
import type { OnFailure, WorkerEnd } from '../host/worker-life.ts'
import type { Failure } from '../observe/failure.ts'
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import type { Account } from './account.ts'
import type { NoticeLine } from './run-notices.ts'
import type { RunQueue } from './run-queue.ts'

/** The ends that a worker holds. */
export interface WorkerEnds {
  /** Merged: it takes the lanes' items by their order, not as they come. */
  inputs: { queue: RunQueue; end: number; isMerged: boolean }[]
  outputs: { queue: RunQueue; end: number }[]
}

export interface PipelineStageOptions {
  name: string
  /** Module that exports what the stage does: a process function, a stage object or, for a source, an iterable. */
  module?: URL | string
  /** Name of that export. Default 'default'. */
  export?: string
  /** What the stage does, for a stage on the loop. */
  body?: unknown
  /** Where its worker runs. Default 'thread'. */
  on?: HostName
  /** Where it gets its items. None: it is a source, unless a manager joins it to the stage before. */
  input?: BoundedQueue
  /** Where it puts its outputs. None: it is a sink, unless a manager joins it to the stage after. */
  output?: BoundedQueue
  /** The stop event. Default: that of its queues. */
  stop?: StopEvent
  /** Items that the queue before it holds, if a manager makes it. Default 64. */
  capacity?: number
  /** Bytes that the queue before it holds, if a manager makes it. Default 16 MiB. */
  capacityBytes?: number
  /** Memory limits of its thread. */
  resourceLimits?: ResourceLimits
}

const OPTIONS = [
  'name',
  'module',
  'export',
  'body',
  'on',
  'input',
  'output',
  'stop',
  'capacity',
  'capacityBytes',
  'resourceLimits',
]

export type StageState = 'planned' | 'starting' | 'ready' | 'running' | 'done' | 'failed' | 'died'

/** What came of a stage. */
export interface StageResult extends Account {
  state: StageState
  failures: Failure[]
}

/** What a run wants to know of its stages. */
export interface StageEvents {
  failed: OnFailure
  /** A worker has opened everything, or is gone. */
  ready: () => void
  restarting: (death: Failure, delayMs: number) => void
  /** Whether a worker that died may be started again. */
  mayRestart: () => boolean
  /** A life of a worker is about to begin; where it tells what it has to tell. */
  beginning: (life: LifePlace) => NoticeLine | undefined
  /** It is gone. */
  over: (life: LifePlace, end: WorkerEnd) => void
}

/** One life of a worker. */
export interface LifePlace {
  /** Number of the worker within the stage. */
  worker: number
  /** From 1. */
  life: number
}

/** The workers of a stage that were launched together. */
export interface StageLife {
  /** Resolves when all have opened everything, or are gone. */
  readonly ready: Promise<void>
  triggerStart(): void
  /** Ends them the hard way, where the host can. */
  triggerTerminate(): void
}

/**
 * @param hasWork whether it is known what it does
 * @throws MILLRACE_UNKNOWN_OPTION, MILLRACE_INVALID_OPTION
 */
export function checkStageOptions(options: PipelineStageOptions, hasWork: boolean): PipelineStageOptions {
  checkKnown('stage', options, OPTIONS)
  const { name, on = 'thread', module, body } = options
  if (typeof name !== 'string' || name === '')
    throw invalidOption('stage', 'name', 'a non-empty string', name)
  if (!STAGE_OPTIONS.on.isValid(on))
    throw invalidOption(`stage "${name}"`, 'on', STAGE_OPTIONS.on.expected, on, name)
  if (!hasWork && (on !== 'loop') === (module === undefined)) {
    throw invalidOption(
      `stage "${name}"`,
      'module',
      'given on a thread or in a process (on the loop: body)',
      module,
      name,
    )
  }
  if (!hasWork && on === 'loop' && body === undefined) {
    throw invalidOption(`stage "${name}"`, 'body', 'given on the loop', body, name)
  }
  return options
}
