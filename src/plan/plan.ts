/** The plan: the blueprint with every default filled in. Cloneable data, so every thread can have it. */
import type { ResourceLimits } from 'node:worker_threads'
import type {
  FailureWindow,
  OnError,
  Overflow,
  RateLimit,
  RestartOptions,
  RetryOptions,
} from '../define/policy-options.ts'
import type { BuiltinKind, SplitKind, StageKind } from '../define/stage-definition.ts'
import type { HostName, Order, RunOptions } from '../define/stage-options.ts'

export interface PlannedBatch {
  /** Every batch has a bound: what was asked for, or what the queue was asked to hold. */
  size: number
  bytes?: number
  withinMs?: number
  /** Items of one batch have the same key. */
  isKeyed: boolean
}

/** How the process of a stage is started. */
export interface PlannedProcess {
  nice?: number
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
  execArgv?: readonly string[]
  resourceLimits?: ResourceLimits
}

export interface PlannedStage {
  name: string
  kind: StageKind
  host: HostName
  /** How many it begins with. */
  workers: number
  /** How many it may come to have: the width of its queues. */
  maxWorkers: number
  /** As it will be: 'input' where it was asked for and can be kept. */
  order: Order
  /** Who gives the outputs their place in the order: this stage, or the last one before it that does. */
  numbering: 'own' | 'inherit'
  /** Kinds of the operators fused into it. */
  operators: string[]
  resourceLimits?: ResourceLimits
  /** If `host` is 'process'. */
  process?: PlannedProcess
  batch?: PlannedBatch
  concurrency: number
  /** Items of one key go to one worker. */
  isPartitioned: boolean
  rateLimit?: RateLimit
  onError: OnError
  maxFailures?: number | FailureWindow
  /** `if` stays in the definition: it is a function. */
  retry?: Required<Omit<RetryOptions, 'if'>>
  timeoutMs?: number
  restart: false | Required<RestartOptions>
  poisonAfter: number
  stuckAfterMs: number
  nativeThreads: number
  /** Bytes that each worker may have in slabs; 0: none. */
  slabBytes: number
  split?: SplitKind
  /** Names of the branches after it. */
  branches?: string[]
  /** Place of a source among the sources. */
  sourceIndex?: number
  checkpoint?: string
  checkpointMs?: number
  takesDeadLetters?: true
  builtin?: BuiltinKind
  /** Where dead letters are written, if `builtin` is 'dead-letters'. */
  file?: string
}

export interface PlannedQueue {
  from: string
  to: string
  /** Which branch of `from`. */
  branch?: string
  capacity: number
  capacityBytes: number
  overflow: Overflow
  isPartitioned: boolean
  /** Each of its lanes carries the numbers of one numbering point in increasing order. */
  isSorted: boolean
  kind: 'items' | 'dead-letters'
}

export type PlannedRun = Required<Omit<RunOptions, 'maxInFlight' | 'deadLetters' | 'logger'>> &
  Pick<RunOptions, 'maxInFlight' | 'deadLetters'>

export interface Plan {
  pipeline: string
  /** In topological order. */
  stages: PlannedStage[]
  /** In topological order: by the stage that reads them, and for each by the order of its feeds. */
  queues: PlannedQueue[]
  run: PlannedRun
  /** What the user may want to know: what was chosen or raised, and what cannot be kept. */
  notes: string[]
}
