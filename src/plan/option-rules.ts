/** What must hold of the options of one stage, beyond what each must be: one function a rule. */
import path from 'node:path'
import { BATCH_OPTIONS } from '../define/batch-options.ts'
import { isObject, type OptionTable } from '../define/option-table.ts'
import type { StageObject } from '../define/stage-body.ts'
import type { StageDefinition, StageKind } from '../define/stage-definition.ts'
import { type SourceOptions, STAGE_OPTIONS, type StageOptions } from '../define/stage-options.ts'
import { isCommand, isStreamBody } from '../define/stream-body.ts'
import { invalidOption, MillraceError, show } from '../errors.ts'
import { checkOptions } from './check-options.ts'
import type { PlannedBatch, PlannedStage } from './plan.ts'

/** With the defaults of its kind filled in, those of fields too. */
export type CheckedOptions = StageOptions &
  SourceOptions &
  Required<Pick<StageOptions, 'on' | 'stuckAfterMs'>>

export interface CheckedStage {
  definition: StageDefinition
  options: CheckedOptions
}

type OptionRule = (stage: CheckedStage) => void

/** @throws MILLRACE_INVALID_OPTION, MILLRACE_UNKNOWN_OPTION */
export function checkStage(definition: StageDefinition): CheckedStage {
  const { name, kind, options: given } = definition
  const subject = `stage "${name}"`
  if (isObject(given)) checkKind(definition)
  const filled = checkOptions(subject, optionsOf(kind), given, name)
  const stage = { definition, options: filled as unknown as CheckedOptions }
  for (const rule of OPTION_RULES) rule(stage)
  return stage
}

/** The options that a stage of this kind has. */
export function optionsOf(kind: StageKind): OptionTable {
  const table: OptionTable = STAGE_OPTIONS
  return Object.fromEntries(Object.entries(table).filter(([, { notFor }]) => notFor?.[kind] === undefined))
}

function checkKind({ name, kind, options }: StageDefinition): void {
  const table: OptionTable = STAGE_OPTIONS
  for (const [option, value] of Object.entries(options)) {
    const why = Object.hasOwn(table, option) ? table[option].notFor?.[kind] : undefined
    if (value !== undefined && why !== undefined)
      throw refuse(name, option, `${option} cannot be set on a ${kind}: ${why}`)
  }
}

const batchIsBounded: OptionRule = ({ definition: { name, batch } }) => {
  if (batch === undefined) return
  const { size, bytes, withinMs } = checkOptions(`stage "${name}"`, BATCH_OPTIONS, batch, name, 'batch')
  if (size === undefined && bytes === undefined && withinMs === undefined)
    throw refuse(name, 'batch', 'batch needs a size, bytes or withinMs')
}

const maxWorkersIsNotLess: OptionRule = ({ definition: { name }, options: { workers, maxWorkers } }) => {
  if (typeof workers !== 'number' || maxWorkers === undefined || maxWorkers >= workers) return
  throw invalidOption(`stage "${name}"`, 'maxWorkers', `at least workers (${workers})`, maxWorkers, name)
}

const loopHasOneWorker: OptionRule = ({ definition: { name }, options }) => {
  if (options.on !== 'loop') return
  for (const option of ['workers', 'maxWorkers'] as const) {
    const value = options[option] ?? 1
    if (value !== 1) throw invalidOption(`stage "${name}"`, option, '1 on the loop', value, name)
  }
}

/** What a body makes of all its items, a file, would be torn. */
const sequentialBodiesStaySo: OptionRule = ({ definition: { name, body }, options }) => {
  if ((body as Partial<StageObject<unknown, unknown, unknown>> | undefined)?.isSequential !== true) return
  for (const option of ['workers', 'maxWorkers', 'concurrency'] as const) {
    const value = options[option] ?? 1
    const expected = '1 on a stage that takes its items one after the other'
    if (value !== 1) throw invalidOption(`stage "${name}"`, option, expected, value, name)
  }
}

/** The worker of a key is found by the number of workers. */
const partitionsStay: OptionRule = ({ definition: { name }, options: { by, workers, maxWorkers } }) => {
  if (by === undefined || maxWorkers === undefined || maxWorkers === workers) return
  throw invalidOption(
    `stage "${name}"`,
    'maxWorkers',
    `equal to workers (${workers}) with by`,
    maxWorkers,
    name,
  )
}

/** The queue holds items, and what the stage gets are batches. */
const batchesHaveTheirOwnKey: OptionRule = ({ definition: { name, batch }, options: { by } }) => {
  if (by === undefined || batch === undefined) return
  throw refuse(
    name,
    'by',
    'by cannot be set on a stage that takes batches; give the batch a key: .batch({ by })',
  )
}

/** What a reader has taken in hand can no longer be dropped, and it takes one item at a time then. */
const dropOldIsSimple: OptionRule = ({ definition: { name, batch }, options }) => {
  if (options.overflow !== 'drop-old') return
  const why =
    batch !== undefined
      ? 'a stage that takes batches'
      : (options.concurrency ?? 1) > 1
        ? 'a stage with concurrency'
        : options.by !== undefined
          ? 'a stage with by'
          : undefined
  if (why !== undefined) throw refuse(name, 'overflow', `overflow "drop-old" cannot be set on ${why}`)
}

/** What it holds when it fails cannot be told from what is done, so nothing of it can be tried again. */
const NOT_FOR_STREAMS = [
  'concurrency',
  'retry',
  'timeoutMs',
  'maxFailures',
  'poisonAfter',
  'rateLimit',
  'restart',
] as const

const streamsAreNotRepeated: OptionRule = ({ definition: { name, kind, body, batch, options } }) => {
  if (kind === 'source' || !isStreamBody(body)) return
  const why = 'a stage that gives its outputs of its own accord'
  for (const option of NOT_FOR_STREAMS) {
    const value = options[option]
    if (value === undefined || value === false) continue
    throw refuse(name, option, `${option} cannot be set on ${why}: what it has in hand cannot be told apart`)
  }
  if (options.onError !== undefined && options.onError !== 'stop')
    throw refuse(name, 'onError', `onError must be "stop" on ${why}`)
  if (batch !== undefined)
    throw refuse(name, 'batch', `.batch() cannot come before ${why}; put .batch() before a stage of its own`)
}

const sourcesAnswerNothing: OptionRule = ({ definition: { name, kind, body } }) => {
  if (kind !== 'source' || !isCommand(body) || isStreamBody(body)) return
  throw refuse(name, 'mapping', 'mapping cannot be "one-to-one" on a source: it gets no items to answer')
}

const OF_PROCESSES = ['nice', 'env', 'cwd', 'execArgv'] as const
const LIMITS_OF_PROCESSES = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb']

const onlyProcessesHaveAnEnvironment: OptionRule = ({ definition: { name }, options }) => {
  if (options.on === 'process') return
  for (const option of OF_PROCESSES) {
    if (options[option] !== undefined)
      throw refuse(name, option, `${option} can only be set with on: "process"`)
  }
}

const processesDoWhatTheyCan: OptionRule = ({ definition: { name, body }, options }) => {
  if (options.on !== 'process') return
  if (isCommand(body)) throw refuse(name, 'on', 'on cannot be "process": a command is a process already')
  if (options.checkpoint !== undefined)
    throw refuse(
      name,
      'checkpoint',
      'checkpoint cannot be set with on: "process": what a source tracks must be in our process',
    )
  const limit = Object.keys(options.resourceLimits ?? {}).find((key) => !LIMITS_OF_PROCESSES.includes(key))
  if (limit !== undefined)
    throw refuse(
      name,
      'resourceLimits',
      `resourceLimits.${limit} cannot be set with on: "process"; known are ${LIMITS_OF_PROCESSES.join(', ')}`,
    )
}

const deadLettersEnd: OptionRule = ({ definition: { name, takesDeadLetters }, options: { onError } }) => {
  if (takesDeadLetters !== true || onError !== 'dead-letter') return
  throw refuse(name, 'onError', 'onError cannot be "dead-letter" where dead letters go')
}

const OPTION_RULES: readonly OptionRule[] = [
  batchIsBounded,
  maxWorkersIsNotLess,
  loopHasOneWorker,
  sequentialBodiesStaySo,
  partitionsStay,
  batchesHaveTheirOwnKey,
  dropOldIsSimple,
  deadLettersEnd,
  streamsAreNotRepeated,
  sourcesAnswerNothing,
  onlyProcessesHaveAnEnvironment,
  processesDoWhatTheyCan,
]

/**
 * With a limit on what is under way, a batch may wait for items that wait for the batch. How many it takes to fill it cannot
 * be known: items before it are dropped, multiplied, or sent elsewhere.
 * @throws MILLRACE_INVALID_OPTION
 */
export function checkBatchesLeave(stages: readonly PlannedStage[]): void {
  const mayWait = ({ size, withinMs = Number.POSITIVE_INFINITY }: PlannedBatch): boolean =>
    size > 1 && withinMs === Number.POSITIVE_INFINITY
  const waiting = stages.find(({ batch }) => batch !== undefined && mayWait(batch))
  if (waiting === undefined) return
  throw refuse(
    waiting.name,
    'batch',
    'with maxInFlight a batch needs withinMs: it could wait for items that may not begin before it is done',
  )
}

/** @throws MILLRACE_INVALID_OPTION */
export function checkCheckpointsDiffer(stages: readonly PlannedStage[]): void {
  const owners = new Map<string, string>()
  for (const { name, checkpoint } of stages) {
    if (checkpoint === undefined) continue
    const file = path.resolve(checkpoint)
    const owner = owners.get(file)
    if (owner !== undefined)
      throw refuse(name, 'checkpoint', `checkpoint ${show(checkpoint)} is that of source "${owner}", too`)
    owners.set(file, name)
  }
}

function refuse(stage: string, option: string, message: string): MillraceError {
  return new MillraceError('MILLRACE_INVALID_OPTION', `stage "${stage}": ${message}`, { stage, option })
}
