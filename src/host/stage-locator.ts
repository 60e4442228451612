/** Where a worker finds its stage: plain data that any thread can follow. */
import type { StageDefinition, StageKind } from '../define/pipeline.ts'
import { MillraceError } from '../errors.ts'
import { buildPipeline, importExport, type Options } from './load-pipeline.ts'

export type StageLocator =
  /** A stage, by its name, of the pipeline that a module exports. */
  | { from: 'pipeline'; url: string; options: Options; stage: string }
  /** A stage's body, exported by a module. */
  | { from: 'export'; url: string; name: string; kind: StageKind; stage: string }

export async function findStage(locator: StageLocator): Promise<StageDefinition> {
  if (locator.from === 'export') {
    const body = await importExport(locator.url, locator.name)
    return { kind: locator.kind, name: locator.stage, body, options: {}, operators: [] }
  }
  const exported = await importExport(locator.url, 'default')
  const pipeline = await buildPipeline(exported, locator.options, locator.url)
  const stage = pipeline.stages.find((candidate) => candidate.name === locator.stage)
  if (stage !== undefined) return stage
  throw new MillraceError(
    'MILLRACE_STAGE_NOT_FOUND',
    `pipeline "${pipeline.name}" has no stage "${locator.stage}" when it is built in a worker`,
    { stage: locator.stage },
  )
}
