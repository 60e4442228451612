/** From what the caller gives to `start` to stages that are joined and ready to be launched. */
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PipelineModule } from '../define/define-pipeline.ts'
import { type Blueprint, INPUT, OUTPUT, Pipeline, type StageDefinition } from '../define/pipeline.ts'
import { MillraceError, show } from '../errors.ts'
import { type AnyPipeline, buildPipeline, importExport, type Options } from '../host/load-pipeline.ts'
import { closeEnds, makePlan, type PlanContext } from '../plan/make-plan.ts'
import type { Plan } from '../plan/plan.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import type { PipelineStageOptions, StageWork } from './stage.ts'
import { PipelineStage } from './stage.ts'
import { type Wiring, wire } from './wire.ts'

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
}

/** Plans and joins. Nothing is started. @throws what the plan's rules throw, MILLRACE_NO_MODULE */
export function prepare(loaded: Loaded, context: PlanContext, ends: CallerEnds, stop?: StopEvent): Prepared {
  const { pipeline, url } = loaded
  const plan = makePlan(pipeline, context)
  const definitions = closeEnds(pipeline.stages, context)
  const stages = plan.stages.map((planned, index) => {
    const options: PipelineStageOptions = {
      ...definitions[index].options,
      name: planned.name,
      on: planned.host,
    }
    return new PipelineStage(options, workOf(definitions[index], planned.host, url, loaded.options, ends))
  })
  return { plan, wiring: wire(pipeline.name, stages, stop) }
}

function workOf(
  definition: StageDefinition,
  host: string,
  url: string | undefined,
  options: Options,
  ends: CallerEnds,
): StageWork {
  if (host === 'loop') {
    const body =
      definition.body ??
      (definition.name === INPUT ? ends.input : definition.name === OUTPUT ? ends.output : undefined)
    return { definition: { ...definition, body } }
  }
  if (url === undefined) {
    throw new MillraceError(
      'MILLRACE_NO_MODULE',
      `stage "${definition.name}" runs in a thread, and a thread must import its pipeline from a module`,
      { stage: definition.name },
    )
  }
  return { locator: { from: 'pipeline', url, options, stage: definition.name } }
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
