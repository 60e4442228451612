/**
 * What runs tell everyone in this process: channels of `node:diagnostics_channel`, by name.
 *
 * All is published in the thread that starts the run, synchronously; what a subscriber throws is Node's to report, and
 * does not reach the run. Where nobody subscribes it costs a comparison, and no message is made.
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { ItemBeginNotice, ItemNotice, TraceTask } from '../host/notice.ts'
import type { Failure } from '../observe/failure.ts'
import type { Overdue, Report } from '../observe/report.ts'
import type { PipelineManager, WorkerRestart } from './manager.ts'
import type { StuckItem } from './watchdog.ts'

interface OfRun {
  run: PipelineManager
}

interface OfWorker extends OfRun {
  stage: string
  /** Number within the stage, from 0. */
  worker: number
  /** From 1: one more after each restart. */
  life: number
}

/** The channels, and what is published in them. */
export interface ChannelMessages {
  /** `start()` was called: nothing is loaded yet. */
  'millrace:run:start': OfRun
  /** It begins to drain, or to abort. */
  'millrace:run:stop': OfRun & { level: 'drain' | 'abort'; reason: string | undefined }
  /** What will end the run. There may be several. */
  'millrace:run:failure': OfRun & { failure: Failure }
  /** One of its deadlines has passed. */
  'millrace:run:overdue': OfRun & Overdue
  /** Every thread is gone. No report: it could not be loaded, or was aborted before. */
  'millrace:run:end': OfRun & { report: Report | undefined; error: unknown }
  /** A life of a worker is about to begin. */
  'millrace:worker:start': OfWorker & {
    host: string
    /** A subscriber may set it: which items this life traces, and in whose name. */
    trace: TraceTask | undefined
  }
  /** It is gone. 'done': in order. */
  'millrace:worker:end': OfWorker & { how: 'done' | 'died'; death: Failure | undefined }
  /** It died, and will be started again. */
  'millrace:worker:restart': OfRun & WorkerRestart
  /** It has had an item in hand for longer than `stuckAfterMs`. */
  'millrace:worker:stuck': OfRun & StuckItem
  /** An item failed for good, and its stage goes on. */
  'millrace:item:failure': OfRun & { failure: Failure }
  /** The same, of a stage with `onError: 'dead-letter'`: it is kept. */
  'millrace:item:dead-letter': OfRun & { failure: Failure }
  /** A try of an item that is traced begins: see `trace` of 'millrace:worker:start'. Told before the next stage has the item. */
  'millrace:item:begin': OfRun & Omit<ItemBeginNotice, 'kind' | 'pipeline'>
  /** It has ended. Nothing is told where its worker died of it. */
  'millrace:item:traced': OfRun & Omit<ItemNotice, 'kind' | 'pipeline'>
}

export type ChannelName = keyof ChannelMessages

const NAMES: readonly ChannelName[] = [
  'millrace:run:start',
  'millrace:run:stop',
  'millrace:run:failure',
  'millrace:run:overdue',
  'millrace:run:end',
  'millrace:worker:start',
  'millrace:worker:end',
  'millrace:worker:restart',
  'millrace:worker:stuck',
  'millrace:item:failure',
  'millrace:item:dead-letter',
  'millrace:item:begin',
  'millrace:item:traced',
]

/** Held here: Node forgets a channel that nobody holds. */
const channels = new Map<ChannelName, Channel>(NAMES.map((name) => [name, channel(name)]))

/** @param message called only if somebody listens; what it made, then, as the subscribers left it */
export function publish<Name extends ChannelName>(
  name: Name,
  message: () => ChannelMessages[Name],
): ChannelMessages[Name] | undefined {
  const to = channels.get(name)
  if (to?.hasSubscribers !== true) return undefined
  const made = message()
  to.publish(made)
  return made
}
