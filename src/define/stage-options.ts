/** The options of a stage and of a run, in one table each. */
import type { ResourceLimits } from 'node:worker_threads'
import { isDuration, isOneOf, isPositiveInteger, type OptionTable } from './option-table.ts'

/** Where a worker runs: in a thread of its own, or on the event loop of the thread that starts the run. */
export type HostName = 'thread' | 'loop'

export interface StageOptions {
  /** Where its worker runs. Default 'thread'. */
  on?: HostName
  /** Items that the queue before it holds at most, the one in hand counted. Default 64. */
  capacity?: number
  /** Bytes that the queue before it holds at most; also the largest item. Default 16 MiB. */
  capacityBytes?: number
  /** Memory limits of its thread, as `new Worker()` takes them. Default: Node's, but a young generation of 24 MiB. */
  resourceLimits?: ResourceLimits
}

export const STAGE_OPTIONS = {
  on: {
    expected: '"thread" or "loop"',
    isValid: isOneOf('thread', 'loop'),
    default: 'thread',
    doc: 'Where its worker runs.',
  },
  capacity: {
    expected: 'an integer from 1 to 1,048,576',
    isValid: (value) => isPositiveInteger(value) && (value as number) <= 2 ** 20,
    default: 64,
    doc: 'Items that the queue before it holds at most.',
  },
  capacityBytes: {
    expected: 'an integer from 64 to 2,146,435,072',
    isValid: (value) =>
      Number.isSafeInteger(value) && (value as number) >= 64 && (value as number) <= 2 ** 31 - 2 ** 20,
    default: 16 * 2 ** 20,
    doc: 'Bytes that the queue before it holds at most; also the largest item.',
  },
  resourceLimits: {
    expected: "an object of numbers, as Node's Worker takes it",
    isValid: (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((limit) => typeof limit === 'number'),
    doc: 'Memory limits of its thread, in MiB.',
  },
} as const satisfies OptionTable

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
} as const satisfies OptionTable

function duration(defaultMs: number, doc: string) {
  return {
    expected: 'a number of milliseconds, 0 or more',
    isValid: isDuration,
    default: defaultMs,
    doc,
  } as const
}
