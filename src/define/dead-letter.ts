/** What a dead-letter stage gets for each item that failed in a stage with `onError: 'dead-letter'`. */
import type { WireError } from '../errors.ts'

export interface DeadLetter<Input = unknown> {
  schema: 'millrace.dead-letter/1'
  /** Name of the stage that it failed in. */
  stage: string
  /** Number of the worker within that stage, from 0. */
  worker: number
  /** Number, at its source, of the item, from 1; 0 if it has none. */
  item: number
  /** How often it was tried. */
  attempts: number
  /** What kind of failure it was: an error code of Millrace's. */
  code: string
  /** What was thrown. */
  error: WireError
  /** When it was given up, as an ISO 8601 string. */
  time: string
  /** What the stage was given: the item, or the batch. */
  input: Input
  /** Something else that is worth knowing: why the input is left out. */
  note?: string
}
