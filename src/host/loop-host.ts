/** The host that runs a worker on the event loop of the calling thread. It cannot be terminated. */
import { threadId } from 'node:worker_threads'
import { Deferred } from '../deferred.ts'
import type { StageDefinition } from '../define/pipeline.ts'
import { MillraceError } from '../errors.ts'
import type { WorkerCounters } from '../observe/counters.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import { makeLog } from './log.ts'
import { type ContextPlace, WorkerContext } from './worker-context.ts'
import type { OnFailure, WorkerEnd, WorkerLife } from './worker-life.ts'
import { runWorker } from './worker-loop.ts'

export interface LoopTask {
  stage: StageDefinition
  place: ContextPlace
  input: BoundedQueue | undefined
  output: BoundedQueue | undefined
  stop: StopEvent
  counters: WorkerCounters
}

export function startOnLoop(task: LoopTask, onFailure: OnFailure): WorkerLife {
  const { stage, place, stop } = task
  const failures: Failure[] = []
  const gate = new Deferred()
  const opened = new Deferred()
  const level = stage.kind === 'source' ? 'drain' : 'abort'
  const fail = (failure: Failure): void => {
    failures.push(failure)
    try {
      onFailure(failure)
    } catch (error) {
      // A listener of the caller's threw: his error, not the worker's. It goes where it goes from a thread's event.
      queueMicrotask(() => {
        throw error
      })
    }
  }
  const running = runWorker({
    ...task,
    context: new WorkerContext(place, stop, level, makeLog(place, task.counters)),
    baseline: undefined,
    spins: 0,
    ready: () => {
      opened.resolve()
      return gate.promise
    },
    fail,
  })
  const ended = running.then(
    (): WorkerEnd => ({ how: 'done', failures }),
    (error: unknown): WorkerEnd => {
      fail(failureToStart(place, error))
      return { how: 'died', failures }
    },
  )
  void ended.then(() => opened.resolve())
  return { threadId, ready: opened.promise, ended, triggerStart: gate.resolve, triggerTerminate: () => {} }
}

/** The worker tells itself of whatever goes wrong once it is made; this is what kept it from being made. */
function failureToStart(place: ContextPlace, error: unknown): Failure {
  if (!(error instanceof MillraceError)) {
    return makeFailure('MILLRACE_BUG', 'met a bug in Millrace', place, error)
  }
  return makeFailure(error.code, 'could not start', place, error)
}
