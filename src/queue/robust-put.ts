/** `robustPut`: the put that cannot hang on a full queue whose consumer died. */
import type { Sentinel } from '../sentinel.ts'
import type { BoundedQueue } from './bounded-queue.ts'
import type { StopEvent } from './stop-event.ts'

/**
 * Puts the item, or gives up as soon as the stop is set to 'abort' or the reader is gone. Never hangs.
 * Returns whether it was put.
 *
 * @throws MILLRACE_NOT_CLONEABLE, MILLRACE_ITEM_TOO_LARGE
 * @example
 * if (!(await robustPut(queue, item, stop))) return // nobody will read it: leave
 */
export async function robustPut<T>(
  queue: BoundedQueue<T>,
  item: T | Sentinel,
  stop: StopEvent,
): Promise<boolean> {
  return (await queue.put(item, { stop })) === 'ok'
}

/**
 * `robustPut`, blocking this thread. The queue must have been made with this stop event.
 * @throws MILLRACE_STOP_NOT_LINKED
 */
export function robustPutSync<T>(queue: BoundedQueue<T>, item: T | Sentinel, stop: StopEvent): boolean {
  return queue.putSync(item, { stop }) === 'ok'
}
