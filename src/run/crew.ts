/**
 * The stages of a run as one body: launched together, let through the gate together, ended together.
 *
 * It decides nothing: the manager is told what happens and says what to do.
 */
import { MillraceError, type MillraceErrorCode } from '../errors.ts'
import type { OnFailure, WorkerEnd } from '../host/worker-life.ts'
import { type Failure, type ItemOrigin, makeFailure } from '../observe/failure.ts'
import type { NoticeLine } from './run-notices.ts'
import type { PipelineStage } from './stage.ts'
import { type EarlyEnd, findEarlyEnd, StageGraph } from './stage-graph.ts'
import type { LifePlace } from './stage-parts.ts'
import type { StageWorker } from './stage-worker.ts'
import type { Wiring } from './wire.ts'

export interface CrewEvents {
  /** A worker has opened everything, or is gone. */
  ready: () => void
  failed: OnFailure
  restarting: (stage: PipelineStage, death: Failure, delayMs: number) => void
  mayRestart: () => boolean
  ended: (stage: PipelineStage) => void
  beginning: (stage: PipelineStage, life: LifePlace) => NoticeLine | undefined
  over: (stage: PipelineStage, life: LifePlace, end: WorkerEnd) => void
}

export class Crew {
  readonly stages: readonly PipelineStage[]
  readonly #graph: StageGraph
  readonly #events: CrewEvents
  #isTerminating = false

  constructor({ stages, queues }: Wiring, events: CrewEvents) {
    this.stages = stages
    this.#graph = new StageGraph(
      stages.map(({ name }) => name),
      queues,
    )
    this.#events = events
  }

  get hasEnded(): boolean {
    return this.stages.every((stage) => stage.hasEnded)
  }

  get isReady(): boolean {
    return this.stages.every((stage) => stage.state === 'ready')
  }

  /** Starts every worker; each waits at the gate. */
  launch(): void {
    for (const stage of this.stages) this.#launchStage(stage)
  }

  /** None of them will be started. */
  cancel(): void {
    for (const stage of this.stages) stage.cancel()
  }

  /** Lets those through that wait at the gate, and whoever comes later. */
  triggerStart(): void {
    for (const stage of this.stages) stage.triggerStart()
  }

  /** Workers that died and rest will not come again. */
  cancelRestarts(): void {
    for (const [, worker] of this.#workers()) worker.cancelRestart()
  }

  /** Ends those that are left the hard way. */
  triggerTerminate(): void {
    this.#isTerminating = true
    for (const [, worker] of this.#workers()) worker.triggerTerminate()
  }

  /** Tells every source of something that failed, and each which of its items did with it. */
  tellSources(failure: Failure, origins: readonly ItemOrigin[]): void {
    for (const stage of this.stages) {
      const { kind, sourceIndex = 0 } = stage.plan ?? {}
      if (kind !== 'source') continue
      const items = origins.filter(({ source }) => source === sourceIndex).map(({ item }) => item)
      stage.tell({ millrace: 'item failure', failure, items })
    }
  }

  /** What the end of this stage means for those upstream; undefined: nothing, it came in its time. */
  earlyEnd(stage: PipelineStage): EarlyEnd | undefined {
    const working = new Set(this.stages.filter(({ hasWork }) => hasWork).map(({ name }) => name))
    return findEarlyEnd(this.#graph, stage.name, (name) => working.has(name))
  }

  /** Whether every sink has ended: nobody takes anything any more. */
  get isDelivered(): boolean {
    const sinks = new Set(this.#graph.sinks)
    return this.stages.every((stage) => stage.hasEnded || !sinks.has(stage.name))
  }

  /** A failure for each worker that is not open yet. */
  late(startMs: number): Failure[] {
    const late = [...this.#workers()].filter(([, worker]) => worker.state === 'starting')
    return late.map(([stage, worker]) =>
      fail('MILLRACE_START_TIMEOUT', 'did not start', stage, worker, `not open after ${startMs} ms`),
    )
  }

  /** A failure for each worker that is out of our reach. */
  stuck(terminateMs: number): Failure[] {
    const stuck = [...this.#workers()].filter(([, worker]) => !worker.hasEnded && !worker.isAbsent)
    return stuck.map(([stage, worker]) => stuckFailure(stage, worker, terminateMs))
  }

  *#workers(): Generator<[stage: PipelineStage, worker: StageWorker]> {
    for (const stage of this.stages) for (const worker of stage.workerList) yield [stage, worker]
  }

  #launchStage(stage: PipelineStage): void {
    stage.events = {
      failed: (failure, ...rest) =>
        this.#events.failed(this.#isTerminating ? ofOurs(failure) : failure, ...rest),
      ready: () => this.#events.ready(),
      restarting: (death, delayMs) => this.#events.restarting(stage, death, delayMs),
      mayRestart: () => this.#events.mayRestart(),
      beginning: (life) => this.#events.beginning(stage, life),
      over: (life, end) => this.#events.over(stage, life, end),
    }
    stage.launch()
    void stage.join().then(() => this.#events.ended(stage))
  }
}

/** A worker that we ended ourselves did not die of itself. */
function ofOurs(failure: Failure): Failure {
  if (failure.code !== 'MILLRACE_WORKER_DIED') return failure
  const message = `stage "${failure.stage}" did not stop in time and was terminated`
  return { ...failure, code: 'MILLRACE_WORKER_TERMINATED', message }
}

/** It was terminated, and its thread is still there. */
export function stuckFailure(stage: PipelineStage, worker: StageWorker, terminateMs: number): Failure {
  return fail('MILLRACE_WORKER_STUCK', 'could not be ended', stage, worker, whyStuck(stage, terminateMs))
}

function whyStuck({ host }: PipelineStage, terminateMs: number): string {
  if (host !== 'loop')
    return `still running ${terminateMs} ms after it was terminated: native code blocks its thread, or a loop that V8 does not interrupt`
  return 'its process function has not returned, and what runs on the loop cannot be terminated'
}

function fail(
  code: MillraceErrorCode,
  doing: string,
  stage: PipelineStage,
  { number, counters }: StageWorker,
  why: string,
): Failure {
  const item = counters.inHand
  const place = { stage: stage.name, worker: number, ...(item > 0 ? { item } : {}) }
  return makeFailure(code, doing, place, new MillraceError(code, why))
}
