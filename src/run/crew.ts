/**
 * The stages of a run as one body: launched together, let through the gate together, ended together.
 *
 * It decides nothing: the manager is told what happens and says what to do.
 */
import { MillraceError, type MillraceErrorCode } from '../errors.ts'
import { DONE } from '../observe/counters.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { PipelineStage } from './stage.ts'

export interface CrewEvents {
  /** A stage has opened everything, or has ended. */
  ready: () => void
  failed: (failure: Failure) => void
  ended: (stage: PipelineStage) => void
}

export class Crew {
  readonly stages: readonly PipelineStage[]
  readonly #events: CrewEvents
  #isTerminating = false

  constructor(stages: readonly PipelineStage[], events: CrewEvents) {
    this.stages = stages
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

  /** Lets those through that wait at the gate. */
  triggerStart(): void {
    for (const stage of this.stages) if (stage.state === 'ready') stage.life.triggerStart()
  }

  /** Ends those that are left the hard way. */
  triggerTerminate(): void {
    this.#isTerminating = true
    for (const stage of this.stages) if (!stage.hasEnded) stage.life.triggerTerminate()
  }

  /** Whether a stage before this one still has work. A thread says that it is done some time before it is gone. */
  hasWorkBefore(stage: PipelineStage): boolean {
    const before = this.stages.slice(0, this.stages.indexOf(stage))
    return before.some((other) => other.counters?.life !== DONE)
  }

  /** A failure for each stage that is not open yet. */
  late(startMs: number): Failure[] {
    const late = this.stages.filter((stage) => stage.state === 'starting')
    return late.map((stage) =>
      fail('MILLRACE_START_TIMEOUT', 'did not start', stage, `not open after ${startMs} ms`),
    )
  }

  /** A failure for each worker that is out of our reach. */
  stuck(terminateMs: number): Failure[] {
    const stuck = this.stages.filter((stage) => !stage.hasEnded)
    return stuck.map((stage) =>
      fail('MILLRACE_WORKER_STUCK', 'could not be ended', stage, whyStuck(stage, terminateMs)),
    )
  }

  #launchStage(stage: PipelineStage): void {
    stage.onFailure = (failure) => this.#events.failed(this.#isTerminating ? ofOurs(failure) : failure)
    try {
      const life = stage.launch()
      void life.ready.then(() => this.#events.ready())
    } catch (error) {
      stage.cancel()
      const place = { stage: stage.name, worker: 0 }
      this.#events.failed(makeFailure('MILLRACE_WORKER_DIED', 'could not start', place, error))
    }
    void stage.join().then(() => this.#events.ended(stage))
  }
}

/** A worker that we ended ourselves did not die of itself. */
function ofOurs(failure: Failure): Failure {
  if (failure.code !== 'MILLRACE_WORKER_DIED') return failure
  const message = `stage "${failure.stage}" did not stop in time and was terminated`
  return { ...failure, code: 'MILLRACE_WORKER_TERMINATED', message }
}

function whyStuck({ host }: PipelineStage, terminateMs: number): string {
  if (host === 'thread')
    return `still running ${terminateMs} ms after it was terminated: native code blocks its thread`
  return 'its process function has not returned, and what runs on the loop cannot be terminated'
}

function fail(code: MillraceErrorCode, doing: string, stage: PipelineStage, why: string): Failure {
  const item = stage.counters?.inHand
  const place = { stage: stage.name, worker: 0, ...(item ? { item: item >>> 0 } : {}) }
  return makeFailure(code, doing, place, new MillraceError(code, why))
}
