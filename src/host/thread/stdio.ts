/** Standard output and error of a worker's thread, straight to the file descriptor: see `write-sync.ts`. */
import type { WorkerCounters } from '../../observe/counters.ts'
import type { StopEvent } from '../../queue/stop-event.ts'
import { writeAllSync } from '../write-sync.ts'

type Written = (error?: Error | null) => void

/** When the reader of stdout is gone (`| head`), the run drains and further writes go nowhere. */
export function writeStraightThrough(stop: StopEvent, counters: WorkerCounters): void {
  const replace = (stream: NodeJS.WriteStream, fd: 1 | 2) => {
    let isGone = false
    const write = (
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | Written,
      written?: Written,
    ): boolean => {
      const after = typeof encoding === 'function' ? encoding : written
      const data =
        typeof chunk === 'string'
          ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')
          : chunk
      counters.noteWrite(fd)
      if (!isGone && !writeAllSync(fd, data)) {
        isGone = true
        if (fd === 1) leave()
      }
      if (after !== undefined) queueMicrotask(after)
      return true
    }
    stream.write = write as typeof stream.write
    // Node gives a worker's streams no descriptor; these have one.
    Object.defineProperty(stream, 'fd', { value: fd })
  }
  const leave = () => {
    counters.isUnread = true
    stop.set('drain')
  }
  replace(process.stdout, 1)
  replace(process.stderr, 2)
}
