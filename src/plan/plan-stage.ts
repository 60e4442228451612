/** One stage of the plan. */
import { fileURLToPath } from 'node:url'
import type { BatchOptions } from '../define/batch-options.ts'
import type { OptionTable } from '../define/option-table.ts'
import type { StageDefinition } from '../define/stage-definition.ts'
import { STAGE_OPTIONS } from '../define/stage-options.ts'
import { isStreamBody } from '../define/stream-body.ts'
import { checkOptions } from './check-options.ts'
import type { CheckedStage } from './option-rules.ts'
import type { StageOrder } from './order.ts'
import type { PlannedBatch, PlannedProcess, PlannedStage } from './plan.ts'

export interface Chosen {
  workers: number
  maxWorkers: number
  order: StageOrder
  sourceIndex: number | undefined
}

export function planStage({ definition, options }: CheckedStage, chosen: Chosen): PlannedStage {
  const { name, kind, operators, batch, split, branches, takesDeadLetters, builtin, file } = definition
  const { order, numbering } = chosen.order
  const { by, rateLimit, maxFailures, timeoutMs, resourceLimits, checkpoint, checkpointMs } = options
  const { if: _, ...retry } = options.retry ?? {}
  return withoutGaps({
    name,
    kind,
    host: options.on,
    workers: chosen.workers,
    maxWorkers: chosen.maxWorkers,
    order,
    numbering,
    operators: operators.map((operator) => operator.kind),
    resourceLimits: options.on === 'process' ? undefined : resourceLimits,
    process: options.on === 'process' ? planProcess(options) : undefined,
    batch: batch && planBatch(batch, options.capacity ?? STAGE_OPTIONS.capacity.default),
    concurrency: options.concurrency ?? STAGE_OPTIONS.concurrency.default,
    isPartitioned: by !== undefined,
    rateLimit,
    onError: options.onError ?? STAGE_OPTIONS.onError.default,
    maxFailures,
    retry: options.retry && (retry as PlannedStage['retry']),
    timeoutMs,
    restart: planRestart(definition, options),
    poisonAfter: options.poisonAfter ?? STAGE_OPTIONS.poisonAfter.default,
    stuckAfterMs: options.stuckAfterMs,
    nativeThreads: options.nativeThreads ?? STAGE_OPTIONS.nativeThreads.default,
    slabBytes: kind === 'sink' ? 0 : (options.slabBytes ?? STAGE_OPTIONS.slabBytes.default),
    split,
    branches: branches && [...branches],
    sourceIndex: chosen.sourceIndex,
    checkpoint,
    checkpointMs: checkpoint === undefined ? undefined : checkpointMs,
    takesDeadLetters,
    builtin,
    file,
  })
}

/** The plan travels to every worker: a URL does not. */
function planProcess({ nice, env, cwd, execArgv, resourceLimits }: CheckedStage['options']): PlannedProcess {
  const directory = cwd instanceof URL ? fileURLToPath(cwd) : cwd
  return withoutGaps({ nice, env, cwd: directory, execArgv, resourceLimits })
}

function planBatch({ size, bytes, withinMs, by }: BatchOptions, capacity: number): PlannedBatch {
  return withoutGaps({ size: size ?? capacity, bytes, withinMs, isKeyed: by !== undefined })
}

/** What a source had read when it died is not known: only who wrote it can tell whether it may begin again. */
function planRestart(
  { kind, body }: StageDefinition,
  { on, restart }: CheckedStage['options'],
): PlannedStage['restart'] {
  const isOff = restart === undefined && (kind === 'source' || on === 'loop' || isStreamBody(body))
  if (isOff || restart === false) return false
  const fields: OptionTable = STAGE_OPTIONS.restart.fields
  return checkOptions('restart', fields, restart ?? {}) as unknown as PlannedStage['restart']
}

/** Without the fields that are undefined: plans are compared and printed. */
function withoutGaps<T>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
