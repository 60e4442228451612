/**
 * The host that runs a worker on the event loop of the calling thread.
 *
 * It cannot be terminated; in a simulation it can, at its next wait, because there it is the simulation that decides
 * what a process function may still do.
 */
import { threadId } from 'node:worker_threads'
import { Deferred } from '../deferred.ts'
import type { StageDefinition } from '../define/pipeline.ts'
import { MillraceError } from '../errors.ts'
import { WorkerCounters } from '../observe/counters.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { NoticeSink } from './notice.ts'
import type { NoticeTask } from './notice-port.ts'
import type { ContextPlace } from './worker-context.ts'
import type { OnFailure, WorkerEnd, WorkerLife } from './worker-life.ts'
import { WorkerLoop } from './worker-loop.ts'
import type { WorkerTask } from './worker-task.ts'

export interface LoopSettings {
  onFailure: OnFailure
  /** Takes what the worker tells, at once; none: its log goes to stderr. */
  line?: { task: Pick<NoticeTask, 'levels' | 'trace'>; take: NoticeSink } | undefined
  isSimulated?: boolean | undefined
}

export function startOnLoop(
  task: WorkerTask,
  definitions: readonly StageDefinition[],
  { onFailure, line, isSimulated = false }: LoopSettings,
): WorkerLife {
  const { place } = task
  const gate = new Deferred()
  const opened = new Deferred()
  const killed = new Deferred<WorkerEnd>()
  const fail: OnFailure = (...told) => {
    try {
      onFailure(...told)
    } catch (error) {
      // A listener of the caller's threw: his error, not the worker's. It goes where it goes from a thread's event.
      queueMicrotask(() => {
        throw error
      })
    }
  }
  let loop: WorkerLoop | undefined
  const run = async (): Promise<WorkerEnd> => {
    try {
      loop = new WorkerLoop(task, definitions, {
        baseline: undefined,
        ready: () => {
          opened.resolve()
          return gate.promise
        },
        fail,
        ear: line && { tell: line.take, levels: line.task.levels, trace: line.task.trace },
      })
      await loop.run()
      return { how: 'done' }
    } catch (error) {
      return { how: 'died', death: failureToStart(place, error) }
    }
  }
  const ended = Promise.race([run(), killed.promise])
  const kill = (): void => {
    loop?.abandon()
    killed.resolve({ how: 'died', death: deathOf(task) })
  }
  void ended.then(() => opened.resolve())
  return {
    threadId,
    ready: opened.promise,
    ended,
    triggerStart: gate.resolve,
    tell: (message) => loop?.hear(message),
    triggerTerminate: isSimulated ? kill : () => {},
  }
}

function deathOf({ place, counters, index }: WorkerTask): Failure {
  const item = new WorkerCounters(counters, index).inHand
  const where = { stage: place.stage, worker: place.worker, ...(item > 0 ? { item } : {}) }
  const death = new MillraceError('MILLRACE_WORKER_DIED', 'the simulation ended it')
  return makeFailure('MILLRACE_WORKER_DIED', 'died', where, death)
}

/** The worker tells itself of whatever goes wrong once it is made; this is what kept it from being made. */
function failureToStart(place: ContextPlace, error: unknown): Failure {
  if (!(error instanceof MillraceError)) {
    return makeFailure('MILLRACE_BUG', 'met a bug in Millrace', place, error)
  }
  return makeFailure(error.code, 'could not start', place, error)
}
