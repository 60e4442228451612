/** One stage of a run: its worker, its queues, its counters. Usable alone; a manager runs several. */
import type { ResourceLimits } from 'node:worker_threads'
import { Deferred } from '../deferred.ts'
import type { StageDefinition, StageKind } from '../define/pipeline.ts'
import type { HostName } from '../define/stage-options.ts'
import { bug, checkKnown, invalidOption, MillraceError } from '../errors.ts'
import { startOnLoop } from '../host/loop-host.ts'
import type { StageLocator } from '../host/stage-locator.ts'
import { startThread } from '../host/thread/thread-host.ts'
import type { WorkerEnd, WorkerLife } from '../host/worker-life.ts'
import { allocateCounters, DONE, READY, RUNNING, WorkerCounters } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import { type BoundedQueue, sameStop } from '../queue/bounded-queue.ts'
import { StopEvent } from '../queue/stop-event.ts'
import { type Account, accountFor } from './account.ts'

export interface PipelineStageOptions {
  name: string
  /** Module that exports what the stage does: a process function, a stage object or, for a source, an iterable. */
  module?: URL | string
  /** Name of that export. Default 'default'. */
  export?: string
  /** What the stage does, for a stage on the loop. */
  body?: unknown
  /** Where its worker runs. Default 'thread'. */
  on?: HostName
  /** Where it gets its items. None: it is a source, unless a manager joins it to the stage before. */
  input?: BoundedQueue
  /** Where it puts its outputs. None: it is a sink, unless a manager joins it to the stage after. */
  output?: BoundedQueue
  /** The stop event. Default: that of its queues. */
  stop?: StopEvent
  /** Items that the queue before it holds, if a manager makes it. Default 64. */
  capacity?: number
  /** Bytes that the queue before it holds, if a manager makes it. Default 16 MiB. */
  capacityBytes?: number
  /** Memory limits of its thread. */
  resourceLimits?: ResourceLimits
}

const OPTIONS = [
  'name',
  'module',
  'export',
  'body',
  'on',
  'input',
  'output',
  'stop',
  'capacity',
  'capacityBytes',
  'resourceLimits',
]

const NO_THREAD = -2

/** How the stage finds what it does. */
export type StageWork = { locator: StageLocator } | { definition: StageDefinition }

/** What a run gives to each of its stages. */
export interface StageConnections {
  pipeline: string
  input: BoundedQueue | undefined
  output: BoundedQueue | undefined
  stop: StopEvent
  counters: SharedArrayBuffer
  index: number
  spins: number
}

export type StageState = 'planned' | 'starting' | 'ready' | 'running' | 'done' | 'failed' | 'died'

/** What came of a stage. */
export interface StageResult extends Account {
  state: StageState
  failures: Failure[]
}

/**
 * One stage in its own thread: gets an item, processes it, puts what comes out; forwards SENTINEL; catches its own
 * exceptions, and leaves its queues so that its neighbours never wait for it.
 *
 * @example
 * const stage = new PipelineStage({ name: 'upper', module: new URL('./upper.js', import.meta.url), input, output })
 * await stage.start()
 * const { state, out } = await stage.join()
 */
export class PipelineStage {
  readonly name: string
  readonly host: HostName
  readonly options: Readonly<PipelineStageOptions>
  readonly #work: StageWork | undefined
  readonly #failures: Failure[] = []
  readonly #ended = new Deferred<WorkerEnd>()
  #connections: StageConnections | undefined
  #counters: WorkerCounters | undefined
  #life: WorkerLife | undefined
  #end: WorkerEnd | undefined
  /** Told of each failure at once. */
  onFailure: (failure: Failure) => void = () => {}

  /** @throws MILLRACE_INVALID_OPTION, MILLRACE_INVALID_STAGE */
  constructor(options: PipelineStageOptions, work?: StageWork) {
    checkKnown('stage', options, OPTIONS)
    const { name, on = 'thread', module, body } = options
    if (typeof name !== 'string' || name === '')
      throw invalidOption('stage', 'name', 'a non-empty string', name)
    if (on !== 'thread' && on !== 'loop')
      throw invalidOption(`stage "${name}"`, 'on', '"thread" or "loop"', on, name)
    if (work === undefined && (on === 'thread') === (module === undefined)) {
      throw invalidOption(`stage "${name}"`, 'module', 'given on a thread (on the loop: body)', module, name)
    }
    if (work === undefined && on === 'loop' && body === undefined) {
      throw invalidOption(`stage "${name}"`, 'body', 'given on the loop', body, name)
    }
    this.name = name
    this.host = on
    this.options = options
    this.#work = work
  }

  get state(): StageState {
    if (this.#end !== undefined) {
      if (this.#end.how === 'died') return 'died'
      return this.#failures.length > 0 ? 'failed' : 'done'
    }
    const life = this.#counters?.life
    if (this.#life === undefined) return 'planned'
    if (life === READY) return 'ready'
    return life === RUNNING || life === DONE ? 'running' : 'starting'
  }

  /** What has become of its items so far. Exact once it has ended. */
  get account(): Account {
    const { input, output } = this.#connected()
    const threadId = this.#life?.threadId ?? NO_THREAD
    return accountFor(
      this.#counters as WorkerCounters,
      input?.memory.lanesOf('consumer', threadId),
      output?.memory.lanesOf('producer', threadId),
    )
  }

  get counters(): WorkerCounters | undefined {
    return this.#counters
  }

  get input(): BoundedQueue | undefined {
    return this.#connections?.input ?? this.options.input
  }

  get output(): BoundedQueue | undefined {
    return this.#connections?.output ?? this.options.output
  }

  get failures(): readonly Failure[] {
    return this.#failures
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** Starts the worker and, once it has opened everything, lets it begin. */
  async start(): Promise<void> {
    const life = this.launch()
    await life.ready
    life.triggerStart()
  }

  /** Resolves when the worker is gone, whatever became of it. */
  async join(): Promise<StageResult> {
    await this.#ended.promise
    return { state: this.state, failures: [...this.#failures], ...this.account }
  }

  /** Makes it part of a run. */
  connect(connections: StageConnections): void {
    if (this.#connections !== undefined) {
      throw new MillraceError('MILLRACE_STATE', `stage "${this.name}" is part of a run already`, {
        stage: this.name,
      })
    }
    this.#connections = connections
    this.#counters = new WorkerCounters(connections.counters, connections.index)
  }

  /** Starts the worker; it waits at the gate. */
  launch(): WorkerLife {
    if (this.#life !== undefined) {
      throw new MillraceError('MILLRACE_STATE', `stage "${this.name}" was started before`, {
        stage: this.name,
      })
    }
    if (this.#connections === undefined) this.connect(this.#ownConnections())
    this.#life = this.#startWorker(this.#connected())
    void this.#life.ended.then((end) => this.#finish(end))
    return this.#life
  }

  /** It will never be started, or could not be. */
  cancel(): void {
    this.#finish({ how: 'done', failures: [] })
  }

  get life(): WorkerLife {
    if (this.#life === undefined) throw bug(`stage "${this.name}" has no worker`)
    return this.#life
  }

  #startWorker(connections: StageConnections): WorkerLife {
    const { pipeline, input, output, stop, counters, index, spins } = connections
    const place = { pipeline, stage: this.name, worker: 0 }
    const onFailure = (failure: Failure): void => {
      this.#failures.push(failure)
      this.onFailure(failure)
    }
    const work = this.#work ?? this.#ownWork(connections)
    if ('definition' in work) {
      const task = {
        stage: work.definition,
        place,
        input,
        output,
        stop,
        counters: this.#counters as WorkerCounters,
      }
      return startOnLoop(task, onFailure)
    }
    const task = { locator: work.locator, place, counters, index, spins }
    const handles = { input: input?.handle, output: output?.handle, stop: stop.handle }
    return startThread({ ...task, ...handles }, this.options.resourceLimits, onFailure)
  }

  /** A worker that died could not tell anyone: this does. */
  #finish(end: WorkerEnd): void {
    const { stop } = this.#connected()
    this.#end = end
    if (end.how === 'died') stop.set('abort')
    stop.ringAll()
    this.#ended.resolve(end)
  }

  #connected(): StageConnections {
    if (this.#connections === undefined) throw bug(`stage "${this.name}" is not part of a run`)
    return this.#connections
  }

  #ownConnections(): StageConnections {
    const { input, output } = this.options
    const stop = sameStop(this.name, this.options.stop, input, output) ?? new StopEvent()
    return { pipeline: this.name, input, output, stop, counters: allocateCounters(1), index: 0, spins: 0 }
  }

  #ownWork({ input, output }: StageConnections): StageWork {
    const kind: StageKind = input === undefined ? 'source' : output === undefined ? 'sink' : 'stage'
    const { module, export: name = 'default', body } = this.options
    if (module === undefined)
      return { definition: { kind, name: this.name, body, options: {}, operators: [] } }
    return { locator: { from: 'export', url: String(module), name, kind, stage: this.name } }
  }
}
