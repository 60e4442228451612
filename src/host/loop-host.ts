/** The host that runs a worker on the event loop of the calling thread. It cannot be terminated. */
import { Deferred } from '../deferred.ts'
import type { StageDefinition } from '../define/pipeline.ts'
import type { WorkerCounters } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import { makeLog } from './log.ts'
import { type ContextPlace, WorkerContext } from './worker-context.ts'
import type { OnFailure, WorkerLife } from './worker-life.ts'
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
  const running = runWorker({
    ...task,
    context: new WorkerContext(place, stop, level, makeLog(place, task.counters)),
    baseline: undefined,
    spins: 0,
    ready: () => {
      opened.resolve()
      return gate.promise
    },
    fail: (failure) => {
      failures.push(failure)
      onFailure(failure)
    },
  })
  const ended = running.then(() => ({ how: 'done', failures }) as const)
  void ended.then(() => opened.resolve())
  return { ready: opened.promise, ended, triggerStart: gate.resolve, triggerTerminate: () => {} }
}
