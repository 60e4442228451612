/** Standard output and error of a worker's thread, straight to the file descriptor. */
import type { WorkerCounters } from '../../observe/counters.ts'
import type { StopEvent } from '../../queue/stop-event.ts'
import { makeStraight } from '../straight-stream.ts'

/** When the reader of stdout is gone (`| head`), the run drains and further writes go nowhere. */
export function writeStraightThrough(stop: StopEvent, counters: WorkerCounters): void {
  const leave = () => {
    counters.isUnread = true
    stop.set('drain')
  }
  makeStraight(process.stdout, 1, { onWrite: () => counters.noteWrite(1), onGone: leave })
  makeStraight(process.stderr, 2, { onWrite: () => counters.noteWrite(2) })
}
