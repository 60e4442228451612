/** The plan: the blueprint with every default filled in. Cloneable data, so every thread can have it. */
import type { ResourceLimits } from 'node:worker_threads'
import type { StageKind } from '../define/pipeline.ts'
import type { HostName, RunOptions } from '../define/stage-options.ts'

export interface PlannedStage {
  name: string
  kind: StageKind
  host: HostName
  workers: number
  /** Kinds of the operators fused into it. */
  operators: string[]
  resourceLimits?: ResourceLimits
}

export interface PlannedQueue {
  from: string
  to: string
  capacity: number
  capacityBytes: number
}

export interface Plan {
  pipeline: string
  stages: PlannedStage[]
  /** Queue i joins stage i and stage i + 1. */
  queues: PlannedQueue[]
  run: Required<RunOptions>
}
