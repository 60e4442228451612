/** The public surface. */

export type { BatchOptions } from './define/batch-options.ts'
export type { DeadLetter } from './define/dead-letter.ts'
export {
  type BuiltOptions,
  definePipeline,
  type GivenOptions,
  isMain,
  type PipelineModule,
  type PipelineOption,
  type PipelineOptionTable,
} from './define/define-pipeline.ts'
export { type Blueprint, type Pipeline, pipeline, type Split } from './define/pipeline.ts'
export type {
  FailureWindow,
  OnError,
  Overflow,
  RateLimit,
  RestartOptions,
  RetryOptions,
} from './define/policy-options.ts'
export type {
  Emitted,
  Logger,
  ProcessFunction,
  SourceBody,
  StageContext,
  StageObject,
} from './define/stage-body.ts'
export type {
  HostName,
  Order,
  PartitionKey,
  RunLogger,
  RunOptions,
  SourceOptions,
  StageOptions,
} from './define/stage-options.ts'
export { MillraceError, type MillraceErrorCode, PipelineError } from './errors.ts'
export type { Diagnosis } from './observe/diagnosis.ts'
export type { Failure } from './observe/failure.ts'
export type {
  Overdue,
  QueueReport,
  Report,
  RunOutcome,
  SlabReport,
  StageReport,
  WorkerReport,
} from './observe/report.ts'
export type { Plan, PlannedBatch, PlannedQueue, PlannedRun, PlannedStage } from './plan/plan.ts'
export {
  BoundedQueue,
  type BoundedQueueOptions,
  type GetOptions,
  type PutOptions,
  type PutResult,
} from './queue/bounded-queue.ts'
export type { QueueHandle } from './queue/queue-memory.ts'
export { robustPut, robustPutSync } from './queue/robust-put.ts'
export { StopEvent, type StopEventOptions, type StopHandle, type StopLevel } from './queue/stop-event.ts'
export { type ManagerOptions, PipelineManager, type RunEvents, type WorkerRestart } from './run/manager.ts'
export type { ChannelMessages, ChannelName } from './run/run-channels.ts'
export { PipelineStage, type PipelineStageOptions, type StageResult, type StageState } from './run/stage.ts'
export { type StartSettings, start } from './run/start.ts'
export type { RunStateName } from './run/state.ts'
export type { StuckItem } from './run/watchdog.ts'
export { EMPTY, type Empty, SENTINEL, type Sentinel } from './sentinel.ts'
export { type Tracked, type TrackOptions, track } from './tracked.ts'
