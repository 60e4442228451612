/** Output of the command line itself: all of it, at once, also to a slow pipe; a reader that is gone is no error. */
import { writeAllSync } from '../host/write-sync.ts'

const STDOUT = 1
const STDERR = 2

/** Returns false if nobody reads it. */
export function printOut(text: string): boolean {
  return write(STDOUT, text)
}

/** Returns false if nobody reads it. */
export function printError(text: string): boolean {
  return write(STDERR, text)
}

function write(fd: number, text: string): boolean {
  try {
    return writeAllSync(fd, Buffer.from(text))
  } catch {
    // A terminal that was closed (EIO), a full disk: there is nobody to tell.
    return false
  }
}
