/** The deadline of what is awaited. */
import { setDeadline } from '../deadline.ts'
import { MillraceError } from '../errors.ts'

/**
 * The promise, or the error that it took too long.
 * @param onLate called with that error first; false: nobody waits any more
 */
export function withTimeLimit(
  promise: PromiseLike<unknown>,
  timeoutMs: number,
  onLate: (late: MillraceError) => boolean,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setDeadline(() => {
      const late = new MillraceError('MILLRACE_ITEM_TIMEOUT', `took longer than ${timeoutMs} ms`)
      if (onLate(late)) reject(late)
    }, timeoutMs)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
