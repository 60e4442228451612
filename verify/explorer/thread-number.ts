/** In place of node:worker_threads: which thread of the world runs. */
import type { Threads } from './threads.ts'

declare const explorer: { threads: () => Threads }

export const isMainThread = false
export const parentPort = null
export const workerData = undefined

export class Worker {}

/** A getter would be lost in the import: it is a value that asks. */
export const threadId = {
  valueOf: () => explorer.threads().current,
  toString: () => String(explorer.threads().current),
} as unknown as number
