/** The options of a stage and of a run, in one table each. */
import type { ResourceLimits } from 'node:worker_threads'
import { isDuration, isFunction, isIntegerFrom, isObject, isOneOf, type OptionTable } from './option-table.ts'
import { type Overflow, POLICY_OPTIONS, type PolicyOptions, type RestartOptions } from './policy-options.ts'

/** Where a worker runs: in a thread or a process of its own, or on the event loop of the thread that starts the run. */
export type HostName = 'thread' | 'loop' | 'process'

/** Whether outputs come in the order of the inputs, or as they are ready. */
export type Order = 'input' | 'completion'

/** What items are partitioned by. */
export type PartitionKey = string | number | bigint | boolean | null

/** What a worker of any kind of stage may be told. */
interface WorkerOptions {
  /** Bytes that `ctx.alloc` of each worker may have in use at a time; 0: none, all binaries are copied. Default 256 MiB. */
  slabBytes?: number
  /** Where its workers run. Default 'thread'. */
  on?: HostName
  /**
   * Memory limits of its threads, as `new Worker()` takes them. Default: Node's, but a young generation of 24 MiB. Of
   * processes: `maxOldGenerationSizeMb` and `maxYoungGenerationSizeMb`; default: Node's.
   */
  resourceLimits?: ResourceLimits
  /** Of a process: its scheduling priority, from -20 (first; needs rights) to 19 (last). Default: ours. */
  nice?: number
  /** Of a process: variables in addition to our environment; `undefined` takes one away. */
  env?: Readonly<Record<string, string | undefined>>
  /** Of a process: its working directory. Default: ours. */
  cwd?: string | URL
  /** Of a process: flags of Node in addition to ours that load modules. Default: none. */
  execArgv?: readonly string[]
  /** Whether, and when, a worker that died is started again. Default: yes, but for sources. */
  restart?: false | RestartOptions
  /** After how long without a sign of life a busy worker is reported as stuck, in milliseconds. Default 60,000. */
  stuckAfterMs?: number
}

/** Options of a stage or a sink that takes items of this type. */
// biome-ignore lint/suspicious/noExplicitAny: options may be written where the type of the items is not known
export interface StageOptions<Item = any> extends WorkerOptions, PolicyOptions {
  /** Items that each queue before it holds at most, those in hand counted. Default 64. */
  capacity?: number
  /** Bytes that each queue before it holds at most; also the largest item. Default 16 MiB. */
  capacityBytes?: number
  /** What the stage before does when the queue is full. Default 'block'. */
  overflow?: Overflow
  /** How many workers it begins with; 'auto' shares out the cores. Default 1. */
  workers?: number | 'auto'
  /** How many workers it may come to have. Default: `workers`. */
  maxWorkers?: number
  /** Whether several workers, or items at a time, keep the order. Default 'input'. */
  order?: Order
  /** Items of one key go to one worker, in order. Default: to whichever has least to do. */
  by?: (item: Item) => PartitionKey
  /** Items that one worker has in hand at a time, if its function is async. Default 1. */
  concurrency?: number
  /** Threads that native code of each worker starts, for the count of cores. Default 0. */
  nativeThreads?: number
}

export interface SourceOptions extends WorkerOptions {
  /** File that says how far the source has come: the next run goes on from there. Default: none. */
  checkpoint?: string
  /** How often the checkpoint is written, in milliseconds. Default 1,000. */
  checkpointMs?: number
}

const noQueue = { source: 'a source has no queue before it' } as const
const oneWorker = { source: 'a source has one worker' } as const
const onlySources = { stage: 'only a source has one', sink: 'only a source has one' } as const
const workerCount = { expected: 'an integer from 1 to 256', isValid: isIntegerFrom(1, 256) } as const

export const STAGE_OPTIONS = {
  on: {
    expected: '"thread", "loop" or "process"',
    isValid: isOneOf('thread', 'loop', 'process'),
    default: 'thread',
    doc: 'Where its workers run.',
  },
  workers: {
    expected: 'an integer from 1 to 256, or "auto"',
    isValid: (value) => value === 'auto' || workerCount.isValid(value),
    default: 1,
    notFor: oneWorker,
    doc: 'How many workers it begins with; "auto" shares out the cores.',
  },
  maxWorkers: { ...workerCount, notFor: oneWorker, doc: 'How many workers it may come to have.' },
  order: {
    expected: '"input" or "completion"',
    isValid: isOneOf('input', 'completion'),
    default: 'input',
    notFor: oneWorker,
    doc: 'Whether several workers, or items at a time, keep the order.',
  },
  by: {
    expected: 'a function',
    isValid: isFunction,
    notFor: noQueue,
    doc: 'Items of one key go to one worker.',
  },
  concurrency: {
    expected: 'an integer from 1 to 4,096',
    isValid: isIntegerFrom(1, 4096),
    default: 1,
    unit: 'items',
    notFor: { source: 'a source takes no items' },
    doc: 'Items that one worker has in hand at a time, if its function is async.',
  },
  capacity: {
    expected: 'an integer from 1 to 1,048,576',
    isValid: isIntegerFrom(1, 2 ** 20),
    default: 64,
    unit: 'items',
    notFor: noQueue,
    doc: 'Items that each queue before it holds at most.',
  },
  capacityBytes: {
    expected: 'an integer from 64 to 2,146,435,072',
    isValid: isIntegerFrom(64, 2 ** 31 - 2 ** 20),
    default: 16 * 2 ** 20,
    unit: 'bytes',
    notFor: noQueue,
    doc: 'Bytes that each queue before it holds at most; also the largest item.',
  },
  overflow: {
    expected: '"block", "drop-new" or "drop-old"',
    isValid: isOneOf('block', 'drop-new', 'drop-old'),
    default: 'block',
    notFor: noQueue,
    doc: 'What the stage before does when the queue is full.',
  },
  ...POLICY_OPTIONS,
  resourceLimits: {
    expected: "an object of numbers, as Node's Worker takes it",
    isValid: (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((limit) => typeof limit === 'number'),
    unit: 'MiB',
    doc: 'Memory limits of its threads or processes.',
  },
  nice: {
    expected: 'an integer from -20 to 19',
    isValid: isIntegerFrom(-20, 19),
    doc: 'Of a process: its scheduling priority.',
  },
  env: {
    expected: 'an object of strings',
    isValid: (value) =>
      isObject(value) && Object.values(value).every((text) => text === undefined || typeof text === 'string'),
    doc: 'Of a process: variables in addition to our environment.',
  },
  cwd: {
    expected: 'the path of a directory',
    isValid: (value) => value instanceof URL || (typeof value === 'string' && value !== ''),
    doc: 'Of a process: its working directory.',
  },
  execArgv: {
    expected: 'an array of strings',
    isValid: (value) => Array.isArray(value) && value.every((flag) => typeof flag === 'string'),
    doc: 'Of a process: flags of Node in addition to ours that load modules.',
  },
  nativeThreads: {
    expected: 'an integer from 0 to 1,024',
    isValid: isIntegerFrom(0, 1024),
    default: 0,
    notFor: { source: 'it is for stages and sinks' },
    doc: 'Threads that native code of each worker starts, for the count of cores.',
  },
  slabBytes: {
    expected: 'an integer from 0 to 2,146,435,072',
    isValid: isIntegerFrom(0, 2 ** 31 - 2 ** 20),
    default: 256 * 2 ** 20,
    unit: 'bytes',
    notFor: { sink: 'a sink passes nothing on' },
    doc: 'Bytes that ctx.alloc of each worker may have in use.',
  },
  checkpoint: {
    expected: 'the path of a file',
    isValid: (value) => typeof value === 'string' && value !== '',
    notFor: onlySources,
    doc: 'File that says how far the source has come.',
  },
  checkpointMs: {
    expected: 'a number of milliseconds, 0 or more',
    isValid: isDuration,
    default: 1_000,
    unit: 'ms',
    notFor: onlySources,
    doc: 'How often the checkpoint is written.',
  },
} as const satisfies OptionTable

/** Takes what `ctx.log` is given, with the place it comes from: pino's loggers fit as they are, and `console`. */
export interface RunLogger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  /** Asked once, when the run is made: what is not wanted costs nothing. Default: all levels are. */
  isLevelEnabled?(level: string): boolean
}

export interface RunOptions {
  /** How long a drain may take before it becomes an abort, in milliseconds. Default 30,000. */
  drainMs?: number
  /** How long workers have after an abort before they are terminated, in milliseconds. Default 2,000. */
  abortMs?: number
  /** How long a terminated worker may take to end before it counts as stuck, in milliseconds. Default 1,000. */
  terminateMs?: number
  /** How long importing and opening all stages may take, in milliseconds. Default 60,000. */
  startMs?: number
  /** Whether SIGINT and SIGTERM drain the run (the second aborts it). Default false. */
  signals?: boolean
  /** Items that may be under way at a time; several sources share it evenly. Default: as many as the queues hold. */
  maxInFlight?: number
  /** File for items that failed where `onError` is 'dead-letter'. Default: what the pipeline says. */
  deadLetters?: string
  /**
   * Where `ctx.log` of every stage goes, whatever its host. Default: a line on stderr for each call. If it throws, the run goes
   * on, and the process is warned (`process.on('warning')`) once in a run.
   */
  logger?: RunLogger
}

export const RUN_OPTIONS = {
  drainMs: duration(30_000, 'How long a drain may take before it becomes an abort.'),
  abortMs: duration(2_000, 'How long workers have after an abort before they are terminated.'),
  terminateMs: duration(1_000, 'How long a terminated worker may take to end before it counts as stuck.'),
  startMs: duration(60_000, 'How long importing and opening all stages may take.'),
  signals: {
    expected: 'true or false',
    isValid: (value) => typeof value === 'boolean',
    default: false,
    doc: 'Whether SIGINT and SIGTERM drain the run; the second aborts it.',
  },
  maxInFlight: {
    expected: 'an integer, 1 or more',
    isValid: isIntegerFrom(1, Number.MAX_SAFE_INTEGER),
    unit: 'items',
    doc: 'Items of each source that may be on their way at a time.',
  },
  deadLetters: {
    expected: 'the path of a file',
    isValid: (value) => typeof value === 'string' && value !== '',
    doc: 'File for items that failed where onError is "dead-letter".',
  },
  logger: {
    expected: 'an object with the functions debug, info, warn and error',
    isValid: (value) =>
      typeof value === 'object' &&
      value !== null &&
      ['debug', 'info', 'warn', 'error'].every((level) =>
        isFunction((value as Record<string, unknown>)[level]),
      ),
    doc: 'Where ctx.log of every stage goes.',
  },
} as const satisfies OptionTable

function duration(defaultMs: number, doc: string) {
  return {
    expected: 'a number of milliseconds, 0 or more',
    isValid: isDuration,
    default: defaultMs,
    unit: 'ms',
    doc,
  } as const
}
