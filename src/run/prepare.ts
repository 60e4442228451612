/** From what the caller gives to `start` to stages that are joined and ready to be launched. */
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PipelineModule } from '../define/define-pipeline.ts'
import { type Blueprint, Pipeline, type StageDefinition } from '../define/pipeline.ts'
import { MillraceError, show } from '../errors.ts'
import { makeDeadLetterSink } from '../host/dead-letter-file.ts'
import { type AnyPipeline, buildPipeline, importExport, type Options } from '../host/load-pipeline.ts'
import { closeEnds } from '../plan/close-ends.ts'
import { makePlan, type PlanContext } from '../plan/make-plan.ts'
import type { Plan, PlannedStage } from '../plan/plan.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import { PipelineStage } from './stage.ts'
import type { StageWork } from './stage-work.ts'
import { type Wiring, wirePlan } from './wire.ts'

/** A pipeline and where its workers find it. */
export interface Loaded {
  pipeline: AnyPipeline
  /** Its module; none: it can run on the loop only. */
  url: string | undefined
  options: Options
}

/** What can be started: a module's URL or path, what `definePipeline` returned, or a pipeline on the loop. */
export type Startable<In, Out> = URL | string | PipelineModule<never, In, Out> | Blueprint<In, Out>

export async function load(what: Startable<never, unknown>, options: Options): Promise<Loaded> {
  checkCloneable(options)
  if (what instanceof Pipeline) return { pipeline: what as unknown as AnyPipeline, url: undefined, options }
  if (what instanceof PipelineModule) {
    return { pipeline: await buildPipeline(what, options, what.url), url: what.url, options }
  }
  const url = moduleUrl(what)
  const exported = await importExport(url, 'default')
  return { pipeline: await buildPipeline(exported, options, url), url, options }
}

export interface Prepared {
  plan: Plan
  wiring: Wiring
}

/** The bodies that the caller brings: `input`, and what takes the outputs. */
export interface CallerEnds {
  input?: unknown
  output?: unknown
  /** Workers on the loop can be ended. */
  isSimulated?: boolean
}

/** Plans and joins. Nothing is started. @throws what the plan's rules throw, MILLRACE_NO_MODULE */
export function prepare(loaded: Loaded, context: PlanContext, ends: CallerEnds, stop?: StopEvent): Prepared {
  const { pipeline } = loaded
  const plan = makePlan(pipeline, context)
  const definitions = closeEnds(pipeline, context).map((definition) => withBody(definition, ends))
  const stages = plan.stages.map((planned) => {
    const work = workOf(planned, definitions, loaded, context, ends.isSimulated ?? false)
    return new PipelineStage({ name: planned.name, on: planned.host }, work)
  })
  return { plan, wiring: wirePlan(plan, stages, stop) }
}

/** The stages that Millrace adds do what is known only here. */
function withBody(definition: StageDefinition, { input, output }: CallerEnds): StageDefinition {
  const { builtin, body, file } = definition
  if (builtin === 'input') return { ...definition, body: body ?? input }
  if (builtin === 'output') return { ...definition, body: output }
  if (builtin === 'dead-letters' && file !== undefined)
    return { ...definition, body: makeDeadLetterSink(file) }
  return definition
}

function workOf(
  { name, host }: PlannedStage,
  definitions: readonly StageDefinition[],
  { url, options }: Loaded,
  { hasInput = false, canOutput = false, run }: PlanContext,
  isSimulated: boolean,
): StageWork {
  if (host === 'loop') return { definitions, isSimulated }
  if (url === undefined) {
    throw new MillraceError(
      'MILLRACE_NO_MODULE',
      `stage "${name}" runs in a ${host}, and a ${host} must import its pipeline from a module`,
      { stage: name },
    )
  }
  const deadLetters = run?.deadLetters
  const ends = { hasInput, canOutput, ...(deadLetters === undefined ? {} : { run: { deadLetters } }) }
  return { locator: { from: 'pipeline', url, options, ends } }
}

/** A relative path would be looked for beside this file. @throws MILLRACE_INVALID_OPTION */
function moduleUrl(what: unknown): string {
  if (what instanceof URL) return what.href
  if (typeof what === 'string') {
    if (isAbsolute(what)) return pathToFileURL(what).href
    if (what.startsWith('file:') && URL.canParse(what)) return new URL(what).href
  }
  throw new MillraceError(
    'MILLRACE_INVALID_OPTION',
    `start() needs a URL, an absolute path or what definePipeline returned, got ${show(what)}${hint(what)}`,
  )
}

function hint(what: unknown): string {
  if (typeof what !== 'string' || !/^\.{1,2}\/|^[\w/-]+\.[cm]?[jt]s$/.test(what)) return ''
  return `; write new URL(${show(what.startsWith('.') ? what : `./${what}`)}, import.meta.url)`
}

/** Options travel to every worker. */
function checkCloneable(options: Options): void {
  if (typeof options !== 'object' || options === null) {
    throw new MillraceError('MILLRACE_INVALID_OPTION', `options must be an object, got ${show(options)}`)
  }
  for (const [option, value] of Object.entries(options)) {
    try {
      structuredClone(value)
    } catch (cause) {
      const message = `option "${option}" cannot travel to the workers: ${show(value)}`
      throw new MillraceError('MILLRACE_NOT_CLONEABLE', message, { option, cause })
    }
  }
}
