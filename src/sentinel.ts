/**
 * The two values that are no items.
 *
 * Registered symbols: every thread, and every copy of this package in a process, has the same ones.
 * No symbol can travel through a queue as an item, so neither can ever be mistaken for data.
 */

/** "No more data". Forwarded exactly once by each stage; returned by a stage to end the stream. */
export const SENTINEL: unique symbol = Symbol.for('millrace.SENTINEL') as never

/** What a get returns when no item came: nothing was there, its `timeoutMs` passed, or the stop was set. */
export const EMPTY: unique symbol = Symbol.for('millrace.EMPTY') as never

export type Sentinel = typeof SENTINEL
export type Empty = typeof EMPTY
