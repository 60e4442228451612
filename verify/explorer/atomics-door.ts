/** In place of src/queue/atomics.ts: the same names, each an operation that the scheduler orders. */
import type * as Shipped from '../../src/queue/atomics.ts'

declare const explorerAtomics: typeof Shipped

export const { load, store, add, compareExchange, wait, waitAsync, notifyAll, peek, poke } = explorerAtomics
