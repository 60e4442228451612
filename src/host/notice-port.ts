/**
 * The way of a worker's notices to its run: a message port for each life of a worker.
 *
 * `postMessage` puts a notice into the run's hands before it returns: the death of the worker cannot take it back, however
 * it comes. What it does not do is wait. So the worker itself waits, a while, when the run is far behind: what is under
 * way is bounded, as long as the run takes notices at all.
 */
import type { MessagePort } from 'node:worker_threads'
import { encodeNotice, type LogLevel, type NoticeSink, type TraceTask } from './notice.ts'
import { nap } from './write-sync.ts'

/** What a worker is told of it. */
export interface NoticeTask {
  /** The worker's end; none where it shares the thread of its run. */
  port: MessagePort | undefined
  /** How many notices the run was given so far, and has taken: see `POSTED`. Modulo 2^32. */
  order: SharedArrayBuffer
  /** What the logger wants; undefined: there is no logger. */
  levels: readonly LogLevel[] | undefined
  /** Which items are traced; undefined: none. */
  trace: TraceTask | undefined
}

/** A notice as it travels: its place among those of all workers, and its bytes. */
export type PostedNotice = readonly [order: number, bytes: Uint8Array]

export const POSTED = 0
export const TAKEN = 1

/** Notices of all workers that may be under way before who posts another waits. */
const MOST_UNDER_WAY = 1_000
/** How long a worker waits for a run that takes none: it may be that the run waits for the worker. */
const PATIENCE_MS = 250

/** @param isOver nothing is to be waited for any more */
export function portSink({ port, order }: NoticeTask, isOver: () => boolean): NoticeSink {
  if (port === undefined) return () => {}
  const words = new Int32Array(order)
  return (notice) => {
    const bytes = encodeNotice(notice)
    waitForRun(words, isOver)
    const posted: PostedNotice = [Atomics.add(words, POSTED, 1), bytes]
    port.postMessage(posted, [bytes.buffer])
  }
}

function waitForRun(words: Int32Array, isOver: () => boolean): void {
  let taken = Atomics.load(words, TAKEN)
  if (underWay(words, taken) < MOST_UNDER_WAY) return
  let since = performance.now()
  while (underWay(words, taken) >= MOST_UNDER_WAY && !isOver()) {
    nap()
    const now = Atomics.load(words, TAKEN)
    if (now !== taken) since = performance.now()
    else if (performance.now() - since > PATIENCE_MS) return
    taken = now
  }
}

function underWay(words: Int32Array, taken: number): number {
  return (Atomics.load(words, POSTED) - taken) | 0
}
