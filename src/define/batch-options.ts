/** When a batch is complete. */
import { isDuration, isFunction, isIntegerFrom, type OptionTable } from './option-table.ts'

// biome-ignore lint/suspicious/noExplicitAny: options may be written where the type of the items is not known
export interface BatchOptions<Item = any> {
  /** Items of a batch. Default: as many as the queue holds. */
  size?: number
  /** Bytes of a batch at most, as they lie in the queue; an item that is larger is a batch by itself. */
  bytes?: number
  /** How long after its first item a batch is complete whatever it holds, in milliseconds. Default: it waits. */
  withinMs?: number
  /** Items of one batch have the same key. Default: any items. */
  by?: (item: Item) => unknown
}

export const BATCH_OPTIONS = {
  size: {
    expected: 'an integer from 1 to 524,288',
    isValid: isIntegerFrom(1, 2 ** 19),
    unit: 'items',
    doc: 'Items of a batch.',
  },
  bytes: {
    expected: 'an integer from 1 to 1,073,217,536',
    isValid: isIntegerFrom(1, 2 ** 30 - 2 ** 19),
    unit: 'bytes',
    doc: 'Bytes of a batch at most.',
  },
  withinMs: {
    expected: 'a number of milliseconds, 0 or more',
    isValid: isDuration,
    unit: 'ms',
    doc: 'How long after its first item a batch is complete whatever it holds.',
  },
  by: { expected: 'a function', isValid: isFunction, doc: 'Items of one batch have the same key.' },
} as const satisfies OptionTable
