/** How the workers of a stage find what it does, and how one of them is started. */
import type { ResourceLimits } from 'node:worker_threads'
import type { StageDefinition, StageKind } from '../define/pipeline.ts'
import { startOnLoop } from '../host/loop-host.ts'
import type { StageLocator } from '../host/stage-locator.ts'
import { startThread } from '../host/thread/thread-host.ts'
import type { OnFailure, WorkerLife } from '../host/worker-life.ts'
import type { WorkerTask } from '../host/worker-task.ts'
import type { PlannedStage } from '../plan/plan.ts'
import type { NoticeLine } from './run-notices.ts'
import type { PipelineStageOptions } from './stage-parts.ts'

export type StageWork =
  /** In a thread: where it looks for the definitions. */
  | { locator: StageLocator }
  /** On the loop: those of all stages, or of this one by itself. */
  | { definitions: readonly StageDefinition[]; isSimulated?: boolean }

/** Where a worker tells its failures, and everything else. */
export interface WorkerEars {
  onFailure: OnFailure
  line: NoticeLine | undefined
}

export function startWorker(
  work: StageWork,
  task: WorkerTask,
  resourceLimits: ResourceLimits | undefined,
  { onFailure, line }: WorkerEars,
): WorkerLife {
  if ('definitions' in work)
    return startOnLoop(task, work.definitions, { onFailure, line, isSimulated: work.isSimulated })
  return startThread({ ...task, locator: work.locator }, resourceLimits, onFailure, line?.task)
}

/** The work of a stage that was made by hand. */
export function workByHand(options: PipelineStageOptions, kind: StageKind): StageWork {
  const { name, module, export: exported = 'default', body } = options
  if (module === undefined)
    return { definitions: [{ kind, name, body, options: {}, operators: [], from: [] }] }
  return { locator: { from: 'export', url: String(module), name: exported, kind, stage: name } }
}

/** The plan of a stage that was made by hand: one worker, which is not restarted. */
export function planByHand(options: PipelineStageOptions, kind: StageKind): PlannedStage {
  const { name, on = 'thread', resourceLimits } = options
  return {
    name,
    kind,
    host: on,
    workers: 1,
    maxWorkers: 1,
    order: 'input',
    numbering: 'own',
    operators: [],
    concurrency: 1,
    isPartitioned: false,
    onError: 'stop',
    restart: false,
    poisonAfter: 1,
    stuckAfterMs: 60_000,
    nativeThreads: 0,
    slabBytes: 0,
    ...(kind === 'source' ? { sourceIndex: 0 } : {}),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
  }
}
