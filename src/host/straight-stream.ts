/** A standard stream whose writes are done when they return: see `write-sync.ts`. */
import { writeAllSync } from './write-sync.ts'

type Written = (error?: Error | null) => void

export interface StraightSteps {
  /** Something is about to be written. */
  onWrite?: () => void
  /** Nobody reads it any more: further writes go nowhere. */
  onGone?: () => void
}

export function makeStraight(stream: NodeJS.WriteStream, fd: 1 | 2, steps: StraightSteps = {}): void {
  let isGone = false
  const write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | Written,
    written?: Written,
  ): boolean => {
    const after = typeof encoding === 'function' ? encoding : written
    const data =
      typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk
    steps.onWrite?.()
    if (!isGone && !writeAllSync(fd, data)) {
      isGone = true
      steps.onGone?.()
    }
    if (after !== undefined) queueMicrotask(after)
    return true
  }
  stream.write = write as typeof stream.write
}
