/**
 * Runs a pipeline in one thread, in virtual time: the worker loops, queues and policies are those of every run, only
 * the stages are all on the event loop, and the clock moves when nothing else does.
 *
 * So a test needs no threads and no sleeps, and comes out the same each time. What cannot be simulated is what a
 * process function does to its thread: it may give promises, but a synchronous one that never returns hangs the test.
 */
import type { DeadLetter } from '../define/dead-letter.ts'
import type { PipelineModule } from '../define/define-pipeline.ts'
import type { Blueprint } from '../define/pipeline.ts'
import { invalidOption, MillraceError, PipelineError } from '../errors.ts'
import type { Options } from '../host/load-pipeline.ts'
import type { Failure } from '../observe/failure.ts'
import type { Report, RunOutcome } from '../observe/report.ts'
import { closeEnds } from '../plan/close-ends.ts'
import { makePlan } from '../plan/make-plan.ts'
import { LowWater } from '../queue/low-water.ts'
import { waysFrom } from '../run/connections.ts'
import { PipelineManager } from '../run/manager.ts'
import { type Loaded, load, type Prepared, prepare, type Startable } from '../run/prepare.ts'
import type { ItemRecord } from './item-ledger.ts'
import { SimulatedPipeline, type SimulationSettings } from './simulated-pipeline.ts'
import { VirtualTime } from './virtual-time.ts'

const DEFAULT_LIMIT_MS = 3_600_000

/** What came of a simulation. */
export interface SimulationResult<Out> {
  /** How the run ended: see the report. */
  outcome: RunOutcome
  report: Report
  /** What went wrong; of a run that failed, what ended it first. */
  failures: readonly Failure[]
  /** What came out, of a pipeline that leaves an end open. */
  outputs: Out[]
  /** What became of each item of each source, in order. Of several sources, one after the other. */
  items: ItemRecord[]
  deadLetters: DeadLetter[]
  /** How long it took, in milliseconds of virtual time. */
  elapsedMs: number
  /** What reached that sink, in this order. @throws MILLRACE_INVALID_OPTION if there is no such sink */
  delivered(sink: string): unknown[]
}

/** What can be simulated: what can be started, and pipelines that are in no module. */
type Simulatable<In, Out> = URL | string | PipelineModule<never, In, Out> | Blueprint<In, Out>

/**
 * Runs a pipeline to its end, in virtual time. Resolves also for a run that failed: look at `outcome`.
 *
 * Sources that are given no items read what they always read.
 *
 * @param what what `definePipeline` returned, the URL of a module, or a pipeline
 * @throws what is wrong with the pipeline or the settings, by its code; MILLRACE_SIMULATION_STUCK if it does not end
 * @example
 * const { outputs, items } = await simulate(words, {}, { input: ['abc'], faults: [{ stage: 'upper', item: 1, do: 'throw' }] })
 */
export async function simulate<Given, In, Out>(
  what: PipelineModule<Given, In, Out>,
  options: NoInfer<Given>,
  settings?: SimulationSettings<In>,
): Promise<SimulationResult<Out>>
export async function simulate<In, Out>(
  what: Blueprint<In, Out> | URL | string,
  options?: Record<string, unknown>,
  settings?: SimulationSettings<In>,
): Promise<SimulationResult<Out>>
export async function simulate(
  what: unknown,
  options: unknown = {},
  settings: SimulationSettings = {},
): Promise<SimulationResult<unknown>> {
  const simulation = await Simulation.open(what as never, options as Options, settings, false)
  return simulation.end()
}

/**
 * Begins a simulation that is fed by hand: `push` items, `advance` the time, `take` what came out, `end` it. Sources
 * that the settings give no items are fed by hand.
 *
 * @throws what is wrong with the pipeline or the settings, by its code
 * @example
 * await using simulation = await openSimulation(batches, {})
 * await simulation.push('a', 'b')
 * await simulation.advance(50)
 * simulation.take() // => [['a', 'b']]
 */
export async function openSimulation<Given, In, Out>(
  what: PipelineModule<Given, In, Out>,
  options: NoInfer<Given>,
  settings?: SimulationSettings<In>,
): Promise<Simulation<In, Out>>
export async function openSimulation<In, Out>(
  what: Blueprint<In, Out> | URL | string,
  options?: Record<string, unknown>,
  settings?: SimulationSettings<In>,
): Promise<Simulation<In, Out>>
export async function openSimulation(
  what: unknown,
  options: unknown = {},
  settings: SimulationSettings = {},
): Promise<Simulation<unknown, unknown>> {
  return Simulation.open(what as never, options as Options, settings, true)
}

/** A simulation under way. Made by `openSimulation`. */
export class Simulation<In, Out> implements AsyncDisposable {
  readonly #simulated: SimulatedPipeline
  readonly #run: PipelineManager
  readonly #time: VirtualTime
  readonly #limitMs: number
  #prepared: Prepared | undefined
  #taken = 0
  #failures: readonly Failure[] = []
  #report: Report | undefined
  #error: unknown
  #isOver = false
  #elapsedMs = 0

  /** @internal */
  static async open<In, Out>(
    what: Simulatable<In, Out>,
    options: Options,
    settings: SimulationSettings,
    isByHand: boolean,
  ): Promise<Simulation<In, Out>> {
    const loaded = await load(what as Startable<never, unknown>, options)
    const time = await VirtualTime.install(settings.startMs ?? 0)
    try {
      const simulation = new Simulation<In, Out>(loaded, settings, isByHand, time)
      await simulation.#begin()
      return simulation
    } catch (error) {
      time.uninstall()
      throw error
    }
  }

  private constructor(loaded: Loaded, settings: SimulationSettings, isByHand: boolean, time: VirtualTime) {
    const { input, inputs, replace, faults, startMs, limitMs = DEFAULT_LIMIT_MS, ...run } = settings
    const isFed = (hasInput: boolean) =>
      closeEnds(loaded.pipeline, { hasInput }).find(({ builtin }) => builtin === 'input')?.name
    const inputName = isFed(true)
    const hasInput = inputName !== undefined
    // What is wrong with it is wrong as it was written.
    makePlan(loaded.pipeline, { hasInput, canOutput: true, run })
    this.#time = time
    this.#limitMs = limitMs
    this.#simulated = new SimulatedPipeline(
      { pipeline: loaded.pipeline, inputName },
      { input, inputs, replace, faults } as SimulationSettings,
      { isByHand, crash: (stage) => this.#crash(stage) },
    )
    const body = inputName === undefined ? undefined : this.#simulated.inputBody(inputName, isByHand)
    this.#run = new PipelineManager(() => {
      const { pipeline } = this.#simulated
      const ends = { input: body, isSimulated: true }
      const prepared = prepare({ ...loaded, pipeline }, { hasInput, run }, ends)
      this.#simulated.sourceIndex = (name) =>
        prepared.plan.stages.find((stage) => stage.name === name)?.sourceIndex ?? 0
      this.#prepared = prepared
      return prepared
    }, run)
    this.#run.on('failure', (failure) => this.#simulated.ledger.fail(failure))
  }

  /** Feeds the only source that is fed by hand, and lets everything happen that happens at once. */
  async push(...items: In[]): Promise<void> {
    const names = [...this.#simulated.hand.keys()]
    if (names.length !== 1) {
      const expected = 'used with one source that is fed by hand; use pushTo'
      throw invalidOption('simulation', 'push', expected, names)
    }
    await this.pushTo(names[0], ...items)
  }

  /** Feeds that source. @throws MILLRACE_INVALID_OPTION if it is not fed by hand */
  async pushTo(source: string, ...items: unknown[]): Promise<void> {
    this.#handSource(source).push(items)
    await this.#settle()
  }

  /** Lets so many milliseconds pass, and everything happen that happens in them. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw invalidOption('simulation', 'advance', 'a number of at least 0', ms)
    if (this.#isOver) return
    await this.#time.advance(ms, () => this.#settle())
  }

  /** What came out since the last call, of a pipeline that leaves an end open. */
  take(): Out[] {
    const outputs = this.#simulated.outputs.slice(this.#taken) as Out[]
    this.#taken += outputs.length
    return outputs
  }

  /** What reached that sink so far. @throws MILLRACE_INVALID_OPTION if there is no such sink */
  delivered(sink: string): unknown[] {
    return [...this.#simulated.delivered(sink)]
  }

  /** What became of each item so far. */
  get items(): ItemRecord[] {
    return this.#simulated.ledger.records((source) => this.#finalUpTo(source))
  }

  /** Milliseconds of virtual time since it began. */
  get elapsedMs(): number {
    return this.#isOver ? this.#elapsedMs : this.#time.elapsedMs
  }

  /** What waits on what, as text. */
  diagnose(): string {
    return this.#run.diagnose()
  }

  /** As Ctrl-C does it: sources stop, what was read is finished. */
  drain(): void {
    this.#run.drain('the simulation was drained')
  }

  abort(reason?: unknown): void {
    this.#run.abort(reason)
  }

  /**
   * Ends the sources that are fed by hand, and lets the run come to its end.
   * @throws MILLRACE_SIMULATION_STUCK, with what waits on what, if it does not
   */
  async end(): Promise<SimulationResult<Out>> {
    for (const source of this.#simulated.hand.values()) source.end()
    try {
      await this.#until(() => this.#hasEnded)
      this.#elapsedMs = this.#time.elapsedMs
    } finally {
      this.#close()
    }
    if (this.#report === undefined) throw this.#error
    return this.#result(this.#report)
  }

  /** Gives time back to the thread; a run that has not ended is aborted. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    try {
      await this.#giveUp('the simulation was disposed of')
    } finally {
      this.#close()
    }
  }

  async #begin(): Promise<void> {
    void this.#run
      .start()
      .join()
      .then(
        (report) => {
          this.#report = report
          this.#failures = report.failures
        },
        (error: unknown) => {
          this.#error = error
          if (!(error instanceof PipelineError)) return
          this.#report = error.report as Report
          this.#failures = error.failures as Failure[]
        },
      )
    await this.#until(() => this.#hasEnded || !this.#run.report || this.#run.state !== 'starting')
    if (this.#hasEnded && this.#report === undefined) throw this.#error
    await this.#settle()
  }

  get #hasEnded(): boolean {
    return this.#report !== undefined || this.#error !== undefined
  }

  /** The clock moves only when nothing else does. */
  async #until(isSo: () => boolean): Promise<void> {
    for (;;) {
      await this.#settle()
      if (isSo()) return
      if (this.#time.elapsedMs > this.#limitMs) throw await this.#stuck()
      this.#time.next()
    }
  }

  /** As far as a source is done. After a run that was cut short, what was left is not final. */
  #finalUpTo(source: number): number {
    if (this.#prepared === undefined) return 0
    const { stages, queues } = this.#prepared.wiring
    const reader = stages.find(({ plan }) => plan?.sourceIndex === source)
    const memories = queues.map(({ memory }) => memory)
    const water = new LowWater(memories, source, waysFrom(reader?.name ?? '', queues))
    return water.oldest(reader?.counters?.settled ?? 0) - 1
  }

  #settle(): Promise<void> {
    return this.#time.settle(() => this.#fingerprint())
  }

  /** Changes with whatever happens. */
  #fingerprint(): string {
    const workers = this.#run.stages.flatMap(({ workerList }) => workerList)
    const counts = workers.map(({ counters, state, restarts }) =>
      [
        counters.turns,
        counters.read,
        counters.phase,
        counters.attempt,
        counters.inHand,
        state,
        restarts,
      ].join(),
    )
    return `${this.#run.state} ${this.#hasEnded} ${counts.join(' ')}`
  }

  async #stuck(): Promise<MillraceError> {
    const diagnosis = this.#run.diagnose()
    await this.#giveUp('the simulation is stuck')
    return new MillraceError(
      'MILLRACE_SIMULATION_STUCK',
      `the run has not ended after ${this.#limitMs} ms of virtual time, or nothing more would ever happen:\n${diagnosis}`,
    )
  }

  async #giveUp(why: string): Promise<void> {
    this.#run.abort(why)
    // The deadlines of an abort are seconds; whatever is left then is ended the hard way.
    for (let step = 0; step < 1000 && !this.#hasEnded; step++) {
      await this.#settle()
      if (!this.#hasEnded) this.#time.next()
    }
  }

  #close(): void {
    this.#isOver = true
    this.#time.uninstall()
  }

  #crash(stage: string): void {
    const found = this.#run.stages.find(({ name }) => name === stage)
    for (const worker of found?.workerList ?? []) worker.triggerTerminate()
  }

  #handSource(name: string) {
    const source = this.#simulated.hand.get(name)
    if (source !== undefined) return source
    const known = [...this.#simulated.hand.keys()].join(', ') || 'none is'
    throw invalidOption('simulation', 'pushTo', `the name of a source that is fed by hand: ${known}`, name)
  }

  #result(report: Report): SimulationResult<Out> {
    return {
      outcome: report.outcome,
      report,
      failures: this.#failures,
      outputs: [...this.#simulated.outputs] as Out[],
      items: this.items,
      deadLetters: [...this.#simulated.deadLetters] as DeadLetter[],
      elapsedMs: this.#elapsedMs,
      delivered: (sink) => this.delivered(sink),
    }
  }
}
