/** From what the user wrote to one shape that the worker loop runs: open, process, flush, close. */
import type { StageDefinition } from '../define/pipeline.ts'
import type { Split } from '../define/split-body.ts'
import type { SourceBody, SourceObject, StageContext, StageObject } from '../define/stage-body.ts'
import { isStreamBody, type StageStream, type StreamBody } from '../define/stream-body.ts'
import { callApart } from './call-apart.ts'

export interface BoundStage {
  open(ctx: StageContext): unknown
  process(item: unknown, ctx: StageContext): unknown
  flush(ctx: StageContext): unknown
  close(ctx: StageContext): unknown
  /** Makes what a source reads from. */
  items(ctx: StageContext): unknown
  /** Of a stage whose outputs come of their own accord: what `open` made. */
  stream?: StageStream<unknown, unknown>
  /** Called when something in the stream has changed. */
  changed?: () => void
}

/** @param split in a process: what it computes of each item, in place of its process function */
export function bindStage(stage: StageDefinition, split?: Split<unknown> | undefined): BoundStage {
  if (stage.kind === 'source') return bindSource(stage.body as SourceBody<unknown>)
  if (isStreamBody(stage.body)) return bindStream(stage.body)
  if (typeof stage.body === 'function') return bindFunction(stage.body as BoundStage['process'])
  return bindObject(stage.body as StageObject<unknown, unknown, unknown>, split)
}

const nothing = (): undefined => undefined
const EMPTY_STAGE: BoundStage = {
  open: nothing,
  process: nothing,
  flush: nothing,
  close: nothing,
  items: nothing,
}

function bindFunction(body: BoundStage['process']): BoundStage {
  const process = callApart(body)
  return { ...EMPTY_STAGE, process: (item, ctx) => process([item, ctx]) }
}

function bindSource(body: SourceBody<unknown>): BoundStage {
  if (typeof body === 'function') return { ...EMPTY_STAGE, items: body }
  if (!isSourceObject(body)) return { ...EMPTY_STAGE, items: () => body }
  return { ...EMPTY_STAGE, items: (ctx) => body.items(ctx), close: (ctx) => body.close?.(ctx) }
}

export function isSourceObject(body: unknown): body is SourceObject<unknown> {
  return typeof (body as Partial<SourceObject<unknown>> | null)?.items === 'function'
}

function bindStream(body: StreamBody<unknown, unknown>): BoundStage {
  const bound: BoundStage = {
    ...EMPTY_STAGE,
    open: async (ctx) => {
      bound.stream = await body.openStream(ctx, () => bound.changed?.())
    },
    close: () => bound.stream?.close(),
  }
  return bound
}

function bindObject(
  parts: StageObject<unknown, unknown, unknown>,
  split: Split<unknown> | undefined,
): BoundStage {
  let resource: unknown
  let process = callApart(parts.process, parts)
  return {
    ...EMPTY_STAGE,
    open: async (ctx) => {
      resource = await parts.open?.(ctx)
      // It may have given itself another.
      process = callApart(parts.process, parts)
    },
    process:
      split === undefined
        ? (item, ctx) => process([item, resource, ctx])
        : (question) => split.compute(question, resource),
    flush: (ctx) => parts.flush?.(resource, ctx),
    close: (ctx) => parts.close?.(resource, ctx),
  }
}
