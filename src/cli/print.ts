/** Output of the command line itself: all of it, at once, also to a slow pipe; a reader that is gone is no error. */
import { writeAllSync } from '../host/write-sync.ts'

const STDOUT = 1
const STDERR = 2

/** Returns false if nobody reads it. */
export function printOut(text: string): boolean {
  return write(STDOUT, text)
}

/** One line on stdout. What cannot be written is said on stderr, and false returned: whoever asked for it lacks it. */
export function printJson(value: unknown): boolean {
  // A field of a user's error may hold what JSON does not have.
  const text = JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field))
  const isWritten = printOut(`${text}\n`)
  if (!isWritten) printError('millrace: the JSON could not be written to stdout\n')
  return isWritten
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
