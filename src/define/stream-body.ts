/**
 * A stage that takes items and gives outputs side by side: which of them were made from which items cannot be told.
 *
 * An item is done when the stream has taken it. So what the stream still holds is lost with it, and nothing is tried
 * again: when it fails, the run fails.
 */
import type { StageContext } from './stage-body.ts'

export const STREAM = Symbol.for('millrace.stream/1')

export interface StreamBody<I, O> {
  readonly [STREAM]: true
  /** @param changed to be called when one of the stream's properties has changed by itself */
  openStream(ctx: StageContext, changed: () => void): Promise<StageStream<I, O>>
}

/** Nothing in it waits: the worker looks, and is told when to look again. */
export interface StageStream<I, O> {
  /** Whether it takes another item now. */
  readonly isWritable: boolean
  /** Takes an item; a promise: it has still to be done with the item's memory. @throws what is wrong with the item */
  write(item: I): undefined | Promise<void>
  /** No item waits: what was gathered is to leave. */
  flush(): void
  /** No more items will come. */
  end(): void
  /** Whether there is an output to take. */
  readonly hasOutput: boolean
  take(): O
  /** It gives no more outputs, and takes no more items: all of it ended in order. */
  readonly hasEnded: boolean
  /** What ended it otherwise. */
  readonly failure: Error | undefined
  /** Lets go of everything. Called in the end, whatever it was. */
  close(): Promise<void>
}

/** The mark of what runs a program of its own. */
export const COMMAND = Symbol.for('millrace.command/1')

export function isCommand(body: unknown): boolean {
  return typeof body === 'object' && body !== null && COMMAND in body
}

export function isStreamBody(body: unknown): body is StreamBody<unknown, unknown> {
  return (
    typeof body === 'object' &&
    body !== null &&
    (body as Partial<StreamBody<unknown, unknown>>)[STREAM] === true
  )
}
