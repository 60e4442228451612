/** Tells what happens in a run: its own listeners, and the channels of the process. It decides nothing. */
import { EventEmitter } from 'node:events'
import type { ItemBeginNotice, ItemNotice, TraceTask } from '../host/notice.ts'
import type { WorkerEnd } from '../host/worker-life.ts'
import type { Failure } from '../observe/failure.ts'
import type { Overdue, Report } from '../observe/report.ts'
import type { PipelineManager } from './manager.ts'
import type { RunEvents } from './manager-parts.ts'
import { publish } from './run-channels.ts'
import type { StopSignal } from './signals.ts'
import type { PipelineStage } from './stage.ts'
import type { LifePlace } from './stage-parts.ts'
import type { RunStateName } from './state.ts'
import type { StuckItem } from './watchdog.ts'

export class Announcer {
  readonly #run: PipelineManager
  readonly #events = new EventEmitter<RunEvents>()

  constructor(run: PipelineManager) {
    this.#run = run
  }

  on<K extends keyof RunEvents>(event: K, listener: (...args: RunEvents[K]) => void): void {
    this.#events.on(event, listener as never)
  }

  starting(): void {
    publish('millrace:run:start', () => ({ run: this.#run }))
  }

  /** @param reason why, if it is being stopped */
  moved(state: RunStateName, reason: string | undefined): void {
    const run = this.#run
    if (state === 'draining') publish('millrace:run:stop', () => ({ run, level: 'drain', reason }))
    if (state === 'aborting') publish('millrace:run:stop', () => ({ run, level: 'abort', reason }))
    this.#events.emit('state', state)
  }

  ended(report: Report | undefined, error: unknown): void {
    publish('millrace:run:end', () => ({ run: this.#run, report, error }))
  }

  failed(failure: Failure): void {
    publish('millrace:run:failure', () => ({ run: this.#run, failure }))
    this.#events.emit('failure', failure)
  }

  itemFailed(failure: Failure, isKept: boolean): void {
    const message = () => ({ run: this.#run, failure })
    publish('millrace:item:failure', message)
    if (isKept) publish('millrace:item:dead-letter', message)
    this.#events.emit('failure', failure)
  }

  /** What of it is to be traced, if somebody wants it to be. */
  lifeBegins({ name, host }: PipelineStage, life: LifePlace): TraceTask | undefined {
    const message = publish('millrace:worker:start', () => ({
      run: this.#run,
      stage: name,
      ...life,
      host,
      trace: undefined,
    }))
    return message?.trace
  }

  traced(notice: ItemBeginNotice | ItemNotice): void {
    if (notice.kind === 'item begin') {
      const { kind: _, pipeline: __, ...item } = notice
      publish('millrace:item:begin', () => ({ run: this.#run, ...item }))
    } else {
      const { kind: _, pipeline: __, ...item } = notice
      publish('millrace:item:traced', () => ({ run: this.#run, ...item }))
    }
  }

  lifeIsOver({ name }: PipelineStage, life: LifePlace, { how, death }: WorkerEnd): void {
    publish('millrace:worker:end', () => ({ run: this.#run, stage: name, ...life, how, death }))
  }

  restarting(stage: PipelineStage, death: Failure, delayMs: number): void {
    const { worker, item } = death
    const restart = { stage: stage.name, worker, ...(item === undefined ? {} : { item }), death, delayMs }
    publish('millrace:worker:restart', () => ({ run: this.#run, ...restart }))
    this.#events.emit('restart', restart)
  }

  stuck(stuck: StuckItem): void {
    publish('millrace:worker:stuck', () => ({ run: this.#run, ...stuck }))
    this.#events.emit('stuck', stuck)
  }

  overdue(overdue: Overdue): void {
    publish('millrace:run:overdue', () => ({ run: this.#run, ...overdue }))
    this.#events.emit('overdue', overdue)
  }

  signalled(signal: StopSignal, count: number): void {
    this.#events.emit('signal', signal, count)
  }
}
