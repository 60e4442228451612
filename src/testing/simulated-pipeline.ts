/**
 * A pipeline as a simulation runs it: every stage on the loop with one worker, its sources fed or followed, its sinks
 * watched, faults in place of some tries. Everything else is what was defined.
 */
import { Pipeline, type StageDefinition } from '../define/pipeline.ts'
import type { StageContext } from '../define/stage-body.ts'
import type { RunOptions } from '../define/stage-options.ts'
import { isStreamBody } from '../define/stream-body.ts'
import { invalidOption } from '../errors.ts'
import { type BoundStage, bindStage } from '../host/bind-stage.ts'
import { isThenable } from '../host/emitter.ts'
import type { AnyPipeline } from '../host/load-pipeline.ts'
import type { WorkerContext } from '../host/worker-context.ts'
import { checkFaults, type Fault, Faults } from './faults.ts'
import { HandSource } from './hand-source.ts'
import { ItemLedger, type ItemName } from './item-ledger.ts'

/** A pipeline with a source of its own may be fed anything. */
type Fed<In> = [In] extends [never] ? unknown : In

export interface SimulationSettings<In = unknown> extends Omit<RunOptions, 'signals' | 'deadLetters'> {
  /** Items of the pipeline's only source, or of its input. */
  input?: Iterable<Fed<In>> | AsyncIterable<Fed<In>>
  /** The same by the name of the source. */
  inputs?: Readonly<Record<string, Iterable<unknown> | AsyncIterable<unknown>>>
  /** What a stage or a sink does instead, by its name: a process function or a stage object. */
  replace?: Readonly<Record<string, unknown>>
  /** What goes wrong. */
  faults?: readonly Fault[]
  /** What `Date.now()` says at the beginning, in milliseconds. Default 0. */
  startMs?: number
  /** How long it may take, in milliseconds of virtual time. Default 3,600,000: an hour. */
  limitMs?: number
}

/** Name of the sink that takes what a pipeline leaves open. */
const OUTPUTS = 'outputs'
const DEAD_LETTERS = 'dead letters'
/** What says where and how often a stage runs: in a simulation once, here. */
const HOSTING = ['on', 'workers', 'maxWorkers', 'resourceLimits', 'nativeThreads', 'process'] as const

export class SimulatedPipeline {
  readonly pipeline: AnyPipeline
  readonly ledger = new ItemLedger()
  /** Sources that are fed by hand, by name. */
  readonly hand = new Map<string, HandSource>()
  readonly deadLetters: unknown[] = []
  readonly #settings: SimulationSettings
  readonly #faults: Faults
  readonly #delivered = new Map<string, unknown[]>()
  readonly #outputs: string
  /** Numbers of the sources, once they are known. */
  sourceIndex: (name: string) => number = () => 0

  /**
   * @param isByHand sources without items of their own settings are fed by hand
   * @throws MILLRACE_INVALID_OPTION
   */
  constructor(
    { pipeline, inputName }: { pipeline: AnyPipeline; inputName: string | undefined },
    settings: SimulationSettings,
    steps: { isByHand: boolean; crash: (stage: string) => void },
  ) {
    const names = pipeline.stages.map(({ name }) => name)
    this.#settings = { ...settings, inputs: inputsOf(pipeline, inputName, settings) }
    checkFaults(settings.faults ?? [], names)
    for (const name of Object.keys(settings.replace ?? {})) {
      if (!names.includes(name))
        throw invalidOption('simulation', 'replace', `names of stages: ${names.join(', ')}`, name)
    }
    this.#faults = new Faults(settings.faults ?? [], steps.crash)
    this.#outputs = names.includes(OUTPUTS) ? `${OUTPUTS} of the simulation` : OUTPUTS
    this.pipeline = this.#rewrite(pipeline, steps.isByHand)
  }

  /** What that sink is done with, in this order. @throws MILLRACE_INVALID_OPTION if there is no such sink */
  delivered(sink: string): unknown[] {
    const values = this.#delivered.get(sink)
    if (values === undefined) {
      const known = [...this.#delivered.keys()].join(', ')
      throw invalidOption('simulation', 'delivered', `the name of a sink: ${known}`, sink)
    }
    return values
  }

  /** What came out of a pipeline that ends in no sink. */
  get outputs(): unknown[] {
    return this.#delivered.get(this.#outputs) ?? []
  }

  /** The input of a pipeline without a source. */
  inputBody(name: string, isByHand: boolean): unknown {
    return this.#sourceBody(
      { kind: 'source', name, body: [], options: {}, operators: [], from: [] },
      isByHand,
    )
  }

  #rewrite(pipeline: AnyPipeline, isByHand: boolean): AnyPipeline {
    const stages = pipeline.stages.map((stage) => this.#simulated(stage, isByHand))
    const deadLettersTo = pipeline.deadLettersTo && this.#deadLettersTo(pipeline.deadLettersTo)
    const draft = new Pipeline({ ...pipeline, stages, deadLettersTo })
    if (draft.ends.length === 0 && draft.batching === undefined && draft.stages.length > 0)
      return draft as unknown as AnyPipeline
    const sink = this.#sinkBody(this.#outputs, () => undefined)
    return draft.sink(this.#outputs, sink as never, { on: 'loop' }) as unknown as AnyPipeline
  }

  #simulated(stage: StageDefinition, isByHand: boolean): StageDefinition {
    const options = onLoop(stage.options)
    if (stage.kind === 'source') return { ...stage, options, body: this.#sourceBody(stage, isByHand) }
    if (stage.builtin !== undefined) return { ...stage, options }
    return {
      ...stage,
      options: { ...options, restart: stage.options.restart ?? {} },
      body: this.#stageBody(this.#replaced(stage)),
    }
  }

  #replaced(stage: StageDefinition): StageDefinition {
    const body = this.#settings.replace?.[stage.name] ?? stage.body
    if (!isStreamBody(body)) return { ...stage, body }
    throw invalidOption(
      `stage "${stage.name}"`,
      'replace',
      'given in a simulation, for a stage that runs a program',
      undefined,
      stage.name,
    )
  }

  /** A dead-letter file is not written. */
  #deadLettersTo(to: string | StageDefinition): StageDefinition {
    const isFile = typeof to === 'string'
    const body = isFile ? () => undefined : this.#replaced(to).body
    const name = isFile ? DEAD_LETTERS : to.name
    const stage: StageDefinition = {
      kind: 'sink',
      name,
      body,
      options: isFile ? {} : to.options,
      operators: [],
      from: [],
      takesDeadLetters: true,
    }
    const bound = bindStage(stage)
    const process = (letter: unknown, ctx: StageContext): unknown => {
      this.deadLetters.push(letter)
      return bound.process(letter, ctx)
    }
    return { ...stage, options: onLoop(stage.options), body: objectOf(bound, process) }
  }

  #sourceBody(stage: StageDefinition, isByHand: boolean): unknown {
    const { name } = stage
    const given = this.#settings.inputs?.[name]
    const bound = bindStage(stage)
    if (given === undefined && isByHand) this.hand.set(name, new HandSource())
    const { ledger, hand } = this
    const index = () => this.sourceIndex(name)
    return {
      items: async function* (ctx: StageContext): AsyncGenerator<unknown, void> {
        const items = given ?? hand.get(name) ?? (await bound.items(ctx))
        yield* ledger.follow(index(), name, items as AsyncIterable<unknown>)
      },
      close: (ctx: StageContext) => bound.close(ctx),
    }
  }

  #stageBody(stage: StageDefinition): unknown {
    const { name, kind } = stage
    const bound = bindStage(stage)
    if (kind === 'sink')
      return objectOf(
        bound,
        this.#sinkBody(name, (item, ctx) => bound.process(item, ctx)),
      )
    return objectOf(bound, (item, ctx) => this.#try(name, ctx, () => bound.process(item, ctx)))
  }

  /** Notes what the sink is done with. */
  #sinkBody(name: string, process: BoundStage['process']): BoundStage['process'] {
    const values: unknown[] = []
    this.#delivered.set(name, values)
    return (item, ctx) => {
      const { as, members = [as] } = namesOf(ctx)
      const done = (result: unknown): unknown => {
        values.push(item)
        this.ledger.deliver(members)
        return result
      }
      // What a fault gives in place of the function is not the function's.
      let isDone = false
      const result = this.#try(name, ctx, () => {
        const given = process(item, ctx)
        isDone = true
        return isThenable(given) ? Promise.resolve(given).then(done) : done(given)
      })
      return isDone || isThenable(result) ? result : undefined
    }
  }

  #try(stage: string, ctx: StageContext, apply: () => unknown): unknown {
    const { as, members = [as] } = namesOf(ctx)
    const items = members.map(({ item }) => item)
    this.ledger.gather(members, as)
    this.ledger.begin(stage, as)
    return this.#faults.process(stage, items, apply)
  }
}

function namesOf(ctx: StageContext): { as: ItemName; members: readonly ItemName[] | undefined } {
  const { item, source, members } = ctx as WorkerContext
  return { as: { item, source }, members }
}

function objectOf(bound: BoundStage, process: BoundStage['process']): unknown {
  return {
    open: (ctx: StageContext) => bound.open(ctx),
    process: (item: unknown, _: unknown, ctx: StageContext) => process(item, ctx),
    flush: (_: unknown, ctx: StageContext) => bound.flush(ctx),
    close: (_: unknown, ctx: StageContext) => bound.close(ctx),
  }
}

function onLoop(options: StageDefinition['options']): StageDefinition['options'] {
  const kept = Object.entries(options).filter(([option]) => !HOSTING.includes(option as never))
  return { ...Object.fromEntries(kept), on: 'loop' }
}

function inputsOf(
  pipeline: AnyPipeline,
  inputName: string | undefined,
  { input, inputs = {} }: SimulationSettings,
): NonNullable<SimulationSettings['inputs']> {
  const sources = pipeline.stages.filter(({ kind }) => kind === 'source').map(({ name }) => name)
  if (inputName !== undefined && !sources.includes(inputName)) sources.unshift(inputName)
  for (const name of Object.keys(inputs)) {
    if (!sources.includes(name))
      throw invalidOption('simulation', 'inputs', `names of sources: ${sources.join(', ')}`, name)
  }
  if (input === undefined) return inputs
  if (sources.length !== 1)
    throw invalidOption('simulation', 'input', `left out with ${sources.length} sources: use inputs`, input)
  return { ...inputs, [sources[0]]: input }
}
