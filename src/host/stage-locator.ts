/** Where a worker finds its stage: plain data that any thread can follow. */
import type { StageDefinition, StageKind } from '../define/pipeline.ts'
import { type ClosingContext, closeEnds } from '../plan/close-ends.ts'
import { buildPipeline, importExport, type Options } from './load-pipeline.ts'

export type StageLocator =
  /** The pipeline that a module exports, with the ends that the caller brings. */
  | { from: 'pipeline'; url: string; options: Options; ends: ClosingContext }
  /** A stage's body, exported by a module. */
  | { from: 'export'; url: string; name: string; kind: StageKind; stage: string }

/** The definitions of the pipeline's stages; of a stage by itself, its own. */
export async function findDefinitions(locator: StageLocator): Promise<readonly StageDefinition[]> {
  if (locator.from === 'pipeline') {
    const exported = await importExport(locator.url, 'default')
    const pipeline = await buildPipeline(exported, locator.options, locator.url)
    return closeEnds(pipeline, locator.ends)
  }
  const body = await importExport(locator.url, locator.name)
  return [{ kind: locator.kind, name: locator.stage, body, options: {}, operators: [], from: [] }]
}
