/** The options that say what happens when something goes wrong, or too fast. */
import {
  isDuration,
  isFunction,
  isIntegerFrom,
  isLongerThanNothing,
  isNumberFrom,
  isObject,
  isOneOf,
  type OptionTable,
} from './option-table.ts'

/** What becomes of an item that has failed for good. */
export type OnError = 'stop' | 'skip' | 'dead-letter'

/** What a writer does when the queue is full: wait, drop the item at hand, drop the oldest in the queue. */
export type Overflow = 'block' | 'drop-new' | 'drop-old'

export interface RateLimit {
  /** Items that the stage, all its workers together, begins at most ... */
  items: number
  /** ... in this many milliseconds. They are spread evenly. */
  perMs: number
}

export interface FailureWindow {
  count: number
  /** Length of the window, in milliseconds. */
  withinMs: number
}

export interface RetryOptions {
  /** Tries in all, the first one counted. */
  attempts: number
  /** Delay after the first failure, in milliseconds. Default 0. */
  delayMs?: number
  /** Each delay is so many times the one before. Default 2. */
  factor?: number
  /** Share of a delay that is left to chance, from 0 (none) to 1 (all of it). Default 0. */
  jitter?: number
  /** Longest delay, in milliseconds. Default 30,000. */
  maxDelayMs?: number
  /** Whether it is worth another try. Default: always. */
  if?: (error: unknown, attempt: number) => boolean
}

export interface RestartOptions {
  /** Restarts of one worker within `withinMs` at most; may be Infinity. Default 5. */
  limit?: number
  /** Default 60,000. */
  withinMs?: number
  /** Delay before the first restart, in milliseconds. Default 100. */
  delayMs?: number
  /** Each delay is so many times the one before. Default 2. */
  factor?: number
  /** Longest delay, in milliseconds. Default 5,000. */
  maxDelayMs?: number
}

export interface PolicyOptions {
  /** How many items it begins at most in a time. Default: no limit. */
  rateLimit?: RateLimit
  /** What becomes of an item that has failed for good: the run fails, or the item alone. Default 'stop'. */
  onError?: OnError
  /** Items that may fail, in all or within a time, before the run fails. Default: no limit. */
  maxFailures?: number | FailureWindow
  /** Whether, and when, an item that failed is tried again. Default: no. */
  retry?: RetryOptions
  /** How long one try of one item may take, in milliseconds; a thread is then replaced. Default: no limit. */
  timeoutMs?: number
  /** An item that its worker has died of so many times has failed. Default 3. */
  poisonAfter?: number
}

const milliseconds = {
  expected: 'a number of milliseconds, 0 or more',
  isValid: isDuration,
  unit: 'ms',
} as const
const someMilliseconds = {
  expected: 'a number of milliseconds, more than 0',
  isValid: isLongerThanNothing,
  unit: 'ms',
} as const
const factor = {
  expected: 'a number from 1 to 100',
  isValid: isNumberFrom(1, 100),
  default: 2,
  doc: 'Each delay is so many times the one before.',
} as const

const RETRY_OPTIONS = {
  attempts: {
    expected: 'an integer from 1 to 1,000,000',
    isValid: isIntegerFrom(1, 1e6),
    isRequired: true,
    doc: 'Tries in all, the first one counted.',
  },
  delayMs: { ...milliseconds, default: 0, doc: 'Delay after the first failure.' },
  factor,
  jitter: {
    expected: 'a number from 0 to 1',
    isValid: isNumberFrom(0, 1),
    default: 0,
    doc: 'Share of a delay that is left to chance.',
  },
  maxDelayMs: { ...milliseconds, default: 30_000, doc: 'Longest delay.' },
  if: { expected: 'a function', isValid: isFunction, doc: 'Whether it is worth another try.' },
} as const satisfies OptionTable

const RESTART_OPTIONS = {
  limit: {
    expected: 'an integer, 0 or more, or Infinity',
    isValid: (value) =>
      value === Number.POSITIVE_INFINITY || isIntegerFrom(0, Number.MAX_SAFE_INTEGER)(value),
    default: 5,
    doc: 'Restarts of one worker within withinMs at most.',
  },
  withinMs: { ...someMilliseconds, default: 60_000, doc: 'Length of the window.' },
  delayMs: { ...milliseconds, default: 100, doc: 'Delay before the first restart.' },
  factor,
  maxDelayMs: { ...milliseconds, default: 5_000, doc: 'Longest delay.' },
} as const satisfies OptionTable

const RATE_LIMIT_OPTIONS = {
  items: {
    expected: 'an integer from 1 to 1,000,000,000',
    isValid: isIntegerFrom(1, 1e9),
    isRequired: true,
    unit: 'items',
    doc: 'Items that it begins at most in that time.',
  },
  perMs: {
    expected: 'a number of milliseconds, more than 0 and finite',
    isValid: isNumberFrom(Number.MIN_VALUE, Number.MAX_SAFE_INTEGER),
    isRequired: true,
    unit: 'ms',
    doc: 'The time.',
  },
} as const satisfies OptionTable

const MAX_FAILURES_OPTIONS = {
  count: {
    expected: 'an integer from 0 to 1,000,000',
    isValid: isIntegerFrom(0, 1e6),
    isRequired: true,
    doc: 'Items that may fail within withinMs.',
  },
  withinMs: { ...someMilliseconds, isRequired: true, doc: 'Length of the window.' },
} as const satisfies OptionTable

const takesNothing = { source: 'a source takes no items' } as const

export const POLICY_OPTIONS = {
  rateLimit: {
    expected: 'an object { items, perMs }',
    isValid: isObject,
    fields: RATE_LIMIT_OPTIONS,
    notFor: { source: 'a source takes no items; set it on the stage after it' },
    doc: 'How many items it begins at most in a time.',
  },
  onError: {
    expected: '"stop", "skip" or "dead-letter"',
    isValid: isOneOf('stop', 'skip', 'dead-letter'),
    default: 'stop',
    notFor: takesNothing,
    doc: 'What becomes of an item that has failed for good: the run fails, or the item alone.',
  },
  maxFailures: {
    expected: 'an integer from 0 to 1,000,000, or an object { count, withinMs }',
    isValid: (value) => isIntegerFrom(0, 1e6)(value) || isObject(value),
    fields: MAX_FAILURES_OPTIONS,
    notFor: takesNothing,
    doc: 'Items that may fail, in all or within a time, before the run fails.',
  },
  retry: {
    expected: 'an object { attempts, delayMs, factor, jitter, maxDelayMs, if }',
    isValid: isObject,
    fields: RETRY_OPTIONS,
    notFor: takesNothing,
    doc: 'Whether, and when, an item that failed is tried again.',
  },
  timeoutMs: {
    ...someMilliseconds,
    notFor: takesNothing,
    doc: 'How long one try of one item may take; a thread is then replaced.',
  },
  restart: {
    expected: 'false or an object { limit, withinMs, delayMs, factor, maxDelayMs }',
    isValid: (value) => value === false || isObject(value),
    fields: RESTART_OPTIONS,
    doc: 'Whether, and when, a worker that died is started again.',
  },
  poisonAfter: {
    expected: 'an integer from 1 to 1,000',
    isValid: isIntegerFrom(1, 1000),
    default: 3,
    notFor: takesNothing,
    doc: 'An item that its worker has died of so many times has failed.',
  },
  stuckAfterMs: {
    ...someMilliseconds,
    default: 60_000,
    doc: 'After how long without a sign of life a busy worker is reported as stuck.',
  },
} as const satisfies OptionTable
