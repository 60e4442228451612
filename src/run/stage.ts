/** One stage of a run: its workers, its queues, its counters. Usable alone; a manager runs several. */
import { Deferred } from '../deferred.ts'
import type { HostName } from '../define/stage-options.ts'
import { bug, invalidOption, MillraceError } from '../errors.ts'
import { StageControl } from '../host/stage-control.ts'
import type { OnFailure, ToWorker } from '../host/worker-life.ts'
import type { WorkerCounters } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import type { SlabReport } from '../observe/report.ts'
import type { PlannedStage } from '../plan/plan.ts'
import type { BoundedQueue } from '../queue/bounded-queue.ts'
import type { Doorbell } from '../queue/doorbell.ts'
import { type Account, accountFor, sumAccounts } from './account.ts'
import type { StageConnections } from './connections.ts'
import { addWorker, triggerRetire } from './resize.ts'
import type { RunQueue } from './run-queue.ts'
import { accountForSlabs } from './slab-account.ts'
import {
  checkStageOptions,
  type PipelineStageOptions,
  type StageEvents,
  type StageLife,
  type StageResult,
  type StageState,
  type WorkerEnds,
} from './stage-parts.ts'
import type { StageWork } from './stage-work.ts'
import { StageWorker } from './stage-worker.ts'
import { connectAlone } from './wire-parts.ts'
import { workerParts } from './worker-parts.ts'

export type { PipelineStageOptions, StageLife, StageResult, StageState } from './stage-parts.ts'

/**
 * One stage in threads of its own: each worker gets an item, processes it, puts what comes out; forwards SENTINEL;
 * catches its own exceptions, and leaves its queues so that its neighbours never wait for it.
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
  readonly #failures: Failure[] = []
  readonly #ended = new Deferred()
  readonly #gate = new Deferred()
  #work: StageWork | undefined
  #connections: StageConnections | undefined
  #workers: StageWorker[] = []
  /** How many there are to be. */
  #size = 1
  #wasLaunched = false
  #isGateOpen = false
  #resizing: Promise<void> = Promise.resolve()
  /** What the run wants to know. */
  events: StageEvents = {
    failed: () => {},
    ready: () => {},
    restarting: () => {},
    mayRestart: () => false,
    beginning: () => undefined,
    over: () => {},
  }

  /** @throws MILLRACE_INVALID_OPTION, MILLRACE_INVALID_STAGE */
  constructor(options: PipelineStageOptions, work?: StageWork) {
    const { name, on = 'thread' } = checkStageOptions(options, work !== undefined)
    this.name = name
    this.host = on
    this.options = options
    this.#work = work
  }

  get state(): StageState {
    if (!this.#wasLaunched) return this.hasEnded ? 'done' : 'planned'
    const states = this.#workers.filter((worker) => !worker.isAbsent).map(({ state }) => state)
    if (this.hasEnded) {
      if (states.includes('died')) return 'died'
      return this.#failures.length > 0 ? 'failed' : 'done'
    }
    if (this.#isGateOpen || states.some((state) => state !== 'starting' && state !== 'ready'))
      return 'running'
    return states.includes('starting') ? 'starting' : 'ready'
  }

  /** What has become of its items so far. Exact once it has ended. */
  get account(): Account {
    return sumAccounts(this.accounts)
  }

  /** The same for each worker. */
  get accounts(): Account[] {
    return this.#workers.map(({ counters, number }) => {
      const { inputs, outputs } = this.#connected()
      const into = inputs.flatMap(({ queue, ends }) => queue.lanesTo(ends[number]))
      const from = outputs.flatMap(({ queue, ends }) => queue.lanesFrom(ends[number]))
      return accountFor(counters, {
        inputs: inputs.length === 0 ? undefined : into,
        outputs: outputs.length === 0 ? undefined : from,
        isClaiming: inputs.some(({ queue }) => queue.overflow === 'drop-old'),
      })
    })
  }

  /** How its slabs stand; undefined: it asked for none. */
  get slabs(): SlabReport | undefined {
    return this.#connections && accountForSlabs(this.#connections)
  }

  /** Its plan, once it is part of a run. */
  get plan(): PlannedStage | undefined {
    return this.#connections?.plan
  }

  /** How many workers it is to have now. */
  get workers(): number {
    return this.#size
  }

  /** Each of its workers, also those that are not there now. */
  get workerList(): readonly StageWorker[] {
    return this.#workers
  }

  /** Queues that it reads. */
  get inputs(): readonly RunQueue[] {
    return this.#connections?.inputs.map(({ queue }) => queue) ?? []
  }

  /** Queues that it writes, but for dead letters. */
  get outputs(): readonly RunQueue[] {
    return this.#connections?.outputs.map(({ queue }) => queue) ?? []
  }

  /** The bell on which the worker of that number sleeps. */
  bellOf(worker: number): Doorbell | undefined {
    return this.#connections?.stop.doorbell(this.#connections.bells[worker])
  }

  /** Whether the worker of that number sleeps on its bell. */
  isAsleep(worker: number): boolean {
    return this.bellOf(worker)?.isAsleep ?? false
  }

  /** The queues that the worker of that number reads and writes, and which of their ends are its. */
  endsOf(worker: number): WorkerEnds {
    const { inputs = [], outputs = [] } = this.#connections ?? {}
    return {
      inputs: inputs.map(({ queue, ends, upstream }) => ({
        queue,
        end: ends[worker],
        isMerged: upstream !== undefined,
      })),
      outputs: outputs.map(({ queue, ends }) => ({ queue, end: ends[worker] })),
    }
  }

  /** Counters of its first worker. */
  get counters(): WorkerCounters | undefined {
    return this.#workers[0]?.counters
  }

  /** The queue that was brought along, or that a manager has made for it. */
  get input(): BoundedQueue | undefined {
    return this.#connections?.byHand?.input ?? this.options.input
  }

  /** The queue that was brought along, or that a manager has made for it. */
  get output(): BoundedQueue | undefined {
    return this.#connections?.byHand?.output ?? this.options.output
  }

  /** What ended it, or its run. Items that failed while it went on are not among them. */
  get failures(): readonly Failure[] {
    return this.#failures
  }

  /** Whether all its workers are gone, and none will come. */
  get hasEnded(): boolean {
    const { length } = this.#workers
    return (
      length > 0 &&
      this.#workers.some((one) => one.hasEnded) &&
      this.#workers.every((one) => one.hasEnded || one.isAbsent)
    )
  }

  /** Whether it may still put something out; of a sink, take something. A source goes on a while after its last item. */
  get hasWork(): boolean {
    const outputs = this.#connections?.outputs ?? []
    const mayPut = (worker: number): boolean =>
      outputs.some(({ queue, ends }) => queue.mayBePutBy(ends[worker]))
    return this.#workers.some((worker) => (outputs.length > 0 ? mayPut(worker.number) : worker.hasWork))
  }

  /** Starts its workers and, once they have opened everything, lets them begin. */
  async start(): Promise<void> {
    const life = this.launch()
    await life.ready
    life.triggerStart()
  }

  /** Resolves when its workers are gone, whatever became of them. */
  async join(): Promise<StageResult> {
    await this.#ended.promise
    return { state: this.state, failures: [...this.#failures], ...this.account }
  }

  /**
   * Changes the number of workers while it runs. Resolves when the change is complete, or the run has ended.
   * @throws MILLRACE_INVALID_OPTION
   */
  async setWorkers(workers: number): Promise<void> {
    const plan = this.plan
    if (plan === undefined) throw this.#wrongState('is not part of a run yet')
    const subject = `stage "${this.name}"`
    if (!Number.isSafeInteger(workers) || workers < 1 || workers > plan.maxWorkers) {
      const most =
        plan.maxWorkers === 1
          ? '1, its maxWorkers'
          : `an integer from 1 to ${plan.maxWorkers}, its maxWorkers`
      throw invalidOption(subject, 'workers', most, workers, this.name)
    }
    if (workers !== this.#size && (plan.isPartitioned || plan.kind === 'source')) {
      const why = plan.isPartitioned ? 'its items are partitioned' : 'it is a source'
      throw invalidOption(subject, 'workers', `left as they are: ${why}`, workers, this.name)
    }
    this.#size = workers
    // One change after the other, each to what is wanted then.
    this.#resizing = this.#resizing.then(() => this.#resize())
    return this.#resizing
  }

  /** Makes it part of a run. */
  connect(connections: StageConnections, work?: StageWork): void {
    if (this.#connections !== undefined) throw this.#wrongState('is part of a run already')
    this.#connections = connections
    this.#work ??= work
    const { workers, maxWorkers } = connections.plan
    this.#size = workers
    this.#workers = Array.from({ length: maxWorkers }, (_, number) => this.#makeWorker(number))
  }

  /** Starts its workers; they wait at the gate. */
  launch(): StageLife {
    if (this.#wasLaunched) throw this.#wrongState('was started before')
    if (this.#connections === undefined) connectAlone(this)
    this.#wasLaunched = true
    for (const worker of this.#workers.slice(0, this.#size)) worker.launch()
    return this.life
  }

  /** It will never be started. */
  cancel(): void {
    for (const worker of this.#workers.slice(0, this.#size)) worker.cancel()
  }

  /** All its workers, as one. */
  get life(): StageLife {
    if (!this.#wasLaunched) throw bug(`stage "${this.name}" has no worker`)
    return {
      ready: Promise.all(this.#workers.filter((one) => !one.isAbsent).map((one) => one.ready)).then(() => {}),
      triggerStart: () => this.triggerStart(),
      triggerTerminate: () => {
        for (const worker of this.#workers) worker.triggerTerminate()
      },
    }
  }

  /** Lets those through that wait at the gate, and those that come later. */
  triggerStart(): void {
    this.#isGateOpen = true
    for (const worker of this.#workers) if (!worker.isAbsent) worker.triggerStart()
    this.#gate.resolve()
  }

  /** Its workers take no item for now, or take items again. */
  setPaused(is: boolean): void {
    const { memory, index } = this.#connected().control
    new StageControl(memory, index).setPaused(is)
  }

  tell(message: ToWorker): void {
    for (const worker of this.#workers) worker.tell(message)
  }

  async #resize(): Promise<void> {
    await Promise.race([this.#gate.promise, this.#ended.promise])
    if (this.hasEnded) return
    const changes = this.#workers.map((worker, number): Promise<void> | undefined => {
      if (number < this.#size) return worker.isAbsent ? addWorker(worker, this.#connected()) : undefined
      if (worker.isAbsent || worker.hasEnded) return undefined
      triggerRetire(worker, this.#connected())
      return worker.over
    })
    await Promise.race([Promise.all(changes), this.#ended.promise])
  }

  #makeWorker(number: number): StageWorker {
    const parts = workerParts(this.#connected(), number, this.#work as StageWork, () => this.events)
    const worker: StageWorker = new StageWorker(parts, {
      failed: (...told) => this.#onFailure(...told),
      ready: () => this.#onReady(worker),
      restarting: (death, delayMs) => this.events.restarting(death, delayMs),
      ended: () => {
        if (this.hasEnded) this.#ended.resolve()
      },
    })
    return worker
  }

  /** A new life of a worker that is to retire has opened its ends again. */
  #onReady(worker: StageWorker): void {
    if (worker.number >= this.#size && worker.restarts > 0) triggerRetire(worker, this.#connected())
    this.events.ready()
  }

  #onFailure(...told: Parameters<OnFailure>): void {
    const [failure, isItem] = told
    if (!isItem) this.#failures.push(failure)
    this.events.failed(...told)
  }

  #connected(): StageConnections {
    if (this.#connections === undefined) throw bug(`stage "${this.name}" is not part of a run`)
    return this.#connections
  }

  #wrongState(what: string): MillraceError {
    return new MillraceError('MILLRACE_STATE', `stage "${this.name}" ${what}`, { stage: this.name })
  }
}
