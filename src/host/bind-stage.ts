/** From what the user wrote to one shape that the worker loop runs: open, process, flush, close. */
import type { StageDefinition } from '../define/pipeline.ts'
import type { SourceBody, StageContext, StageObject } from '../define/stage-body.ts'

export interface BoundStage {
  open(ctx: StageContext): unknown
  process(item: unknown, ctx: StageContext): unknown
  flush(ctx: StageContext): unknown
  close(ctx: StageContext): unknown
  /** Makes what a source reads from. */
  items(ctx: StageContext): unknown
}

export function bindStage(stage: StageDefinition): BoundStage {
  if (stage.kind === 'source') return bindSource(stage.body as SourceBody<unknown>)
  if (typeof stage.body === 'function') return bindFunction(stage.body as BoundStage['process'])
  return bindObject(stage.body as StageObject<unknown, unknown, unknown>)
}

const nothing = (): undefined => undefined
const EMPTY_STAGE: BoundStage = {
  open: nothing,
  process: nothing,
  flush: nothing,
  close: nothing,
  items: nothing,
}

function bindFunction(process: BoundStage['process']): BoundStage {
  return { ...EMPTY_STAGE, process }
}

function bindSource(body: SourceBody<unknown>): BoundStage {
  return { ...EMPTY_STAGE, items: (ctx) => (typeof body === 'function' ? body(ctx) : body) }
}

function bindObject(parts: StageObject<unknown, unknown, unknown>): BoundStage {
  let resource: unknown
  return {
    ...EMPTY_STAGE,
    open: async (ctx) => {
      resource = await parts.open?.(ctx)
    },
    process: (item, ctx) => parts.process(item, resource, ctx),
    flush: (ctx) => parts.flush?.(resource, ctx),
    close: (ctx) => parts.close?.(resource, ctx),
  }
}
