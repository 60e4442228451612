/** The host that gives a worker a thread. The only file that creates threads. */

import { type ResourceLimits, Worker } from 'node:worker_threads'
import { Deferred } from '../../deferred.ts'
import { MillraceError } from '../../errors.ts'
import { DONE, WorkerCounters } from '../../observe/counters.ts'
import { type Failure, makeFailure } from '../../observe/failure.ts'
import { threadEnded } from '../../queue/thread-watch.ts'
import type { NoticeTask } from '../notice-port.ts'
import { ownFile } from '../own-files.ts'
import { recordedTypescript } from '../typescript.ts'
import type { OnFailure, ToWorker, WorkerEnd, WorkerLife } from '../worker-life.ts'
import type { LocatedTask } from '../worker-task.ts'
import type { FromThread, ThreadTask } from './thread-task.ts'

const ENTRY = ownFile('thread/thread-entry')

/**
 * Items are short-lived: a small young generation holds them as well as Node's 48 MiB, in every one of many threads.
 */
const YOUNG_GENERATION_MB = 24

/** Node's exit code when the event loop runs dry before a top-level await is settled. */
const UNSETTLED = 13

/** Starts the thread. @throws if Node cannot start one */
export function startThread(
  task: LocatedTask,
  resourceLimits: ResourceLimits | undefined,
  onFailure: OnFailure,
  notices?: NoticeTask,
): WorkerLife {
  const { stage, worker: number } = task.place
  const worker = new Worker(ENTRY, {
    workerData: { ...task, typescript: recordedTypescript(), notices } satisfies ThreadTask,
    transferList: notices?.port === undefined ? [] : [notices.port],
    name: `${stage} ${number}`,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB, ...resourceLimits },
  })
  const { threadId } = worker
  const counters = new WorkerCounters(task.counters, task.index)
  const opened = new Deferred()
  const ended = new Deferred<WorkerEnd>()
  let hasFailed = false
  let thrown: unknown
  let foretold: Failure | undefined
  worker.on('message', (message: FromThread) => {
    if (message?.millrace === 'ready') opened.resolve()
    else if (message?.millrace === 'failure') {
      hasFailed ||= !message.isItem
      onFailure(message.failure, message.isItem, message.origins)
    } else if (message?.millrace === 'death') foretold = message.death
  })
  // Always listened to: an 'error' that nobody hears would end the main thread.
  worker.on('error', (error) => {
    thrown = error
  })
  worker.on('exit', (code) => {
    threadEnded(threadId)
    const isDone = counters.life === DONE
    // A worker that told of its failure, and died before it was done with its end, has said why.
    const death = isDone || hasFailed ? {} : { death: foretold ?? deathOf(task, counters, code, thrown) }
    opened.resolve()
    ended.resolve({ how: isDone ? 'done' : 'died', ...death })
  })
  const tell = (message: ToWorker): void => worker.postMessage(message)
  return {
    threadId,
    ready: opened.promise,
    ended: ended.promise,
    triggerStart: () => tell({ millrace: 'start' }),
    tell,
    triggerTerminate: () => void worker.terminate(),
  }
}

/** Exit code 0 proves nothing: only the DONE mark does, and it was not there. */
function deathOf(task: LocatedTask, counters: WorkerCounters, exitCode: number, thrown: unknown): Failure {
  const { inHand } = counters
  const { stage, worker } = task.place
  const place = { stage, worker, ...(inHand === 0 ? {} : { item: inHand }) }
  const isMemory = (thrown as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
  if (isMemory) return makeFailure('MILLRACE_WORKER_OUT_OF_MEMORY', 'ran out of memory', place, thrown)
  if (thrown !== undefined)
    return makeFailure('MILLRACE_WORKER_DIED', 'died of an uncaught error', place, thrown)
  const why =
    exitCode === UNSETTLED
      ? 'the promise it waits for can never settle: nothing is left in its event loop'
      : `its thread ended with exit code ${exitCode} before it was done`
  return makeFailure('MILLRACE_WORKER_DIED', 'died', place, new MillraceError('MILLRACE_WORKER_DIED', why))
}
