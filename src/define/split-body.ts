/**
 * A stage that needs only a part of each item where it computes: in a process, that part alone is sent there and back, and
 * the rest of the item stays in the worker's thread.
 */
import type { StageDefinition } from './pipeline.ts'

export const SPLIT = Symbol.for('millrace.split/1')

export interface Split<Resource> {
  /** In the thread: what is to be sent. */
  ask(item: unknown): unknown
  /** In the process: gives one value, which travels back. */
  compute(question: unknown, resource: Resource): unknown
  /** In the thread: what the stage gives. */
  answer(item: unknown, given: unknown): unknown
}

/** Undefined: items travel whole. What is fused behind a stage runs where it computes, and needs what it gives. */
export function splitOf({ body, operators }: StageDefinition): Split<unknown> | undefined {
  if (typeof body !== 'object' || body === null || operators.length > 0) return undefined
  return (body as { [SPLIT]?: Split<unknown> })[SPLIT]
}
