/** Makes dead letters: an item that failed for good, and all that is known of why. */
import type { DeadLetter } from '../define/dead-letter.ts'
import { errorToWire, MillraceError } from '../errors.ts'
import type { Failure } from '../observe/failure.ts'

/** @param input what the process function was given */
export function makeDeadLetter<Input>(
  failure: Failure,
  input: Input,
  attempts: number,
  now: Date,
): DeadLetter<Input> {
  const { stage, worker, item = 0, code } = failure
  // Where nothing was thrown - the item killed its worker - the failure itself says what happened.
  const error =
    failure.error ?? errorToWire(new MillraceError(code, failure.message, { stage, worker, item }))
  return {
    schema: 'millrace.dead-letter/1',
    stage,
    worker,
    item,
    attempts,
    code,
    error,
    time: now.toISOString(),
    input,
  }
}
