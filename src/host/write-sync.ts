/**
 * Writing to a standard stream at once, from any thread.
 *
 * A worker's own `process.stdout` hands every write to the main thread through the worker's event loop: a stage that
 * blocks its thread would show nothing until it ends, and keep it all in memory. A file descriptor belongs
 * to the process, so a worker can write to it directly, and a slow reader slows the writer down.
 */
import { writeSync } from 'node:fs'

/** How long to wait when a pipe is full and does not block. There is no synchronous poll() in Node. */
const FULL_PIPE_MS = 2

const never = new Int32Array(new SharedArrayBuffer(4))

/** For whoever must wait for another and cannot be told when. */
export function nap(): void {
  Atomics.wait(never, 0, 0, FULL_PIPE_MS)
}

/** Writes all of it. Returns false if the other side of the pipe is closed. */
export function writeAllSync(fd: number, data: Uint8Array): boolean {
  let done = 0
  while (done < data.length) {
    try {
      done += writeSync(fd, data, done)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw error
      nap()
    }
  }
  return true
}
