/** Sources to begin a pipeline with: `millrace/sources`. */
import { closeSync, openSync, readSync } from 'node:fs'

export interface ReadLinesOptions {
  /** Whether a line keeps the carriage return at its end. Default false. */
  keepCr?: boolean
  /** Bytes read at a time. Default 65,536. */
  chunkBytes?: number
}

const NEWLINE = 0x0a
const DEFAULT_CHUNK_BYTES = 64 * 1024

/**
 * Yields the lines of a UTF-8 file, without their newlines, reading as it goes: for a source in its own thread.
 *
 * A file that ends with a newline has no empty line after it. Bytes that are no UTF-8 become U+FFFD.
 * @throws what node:fs throws (ENOENT, EACCES, ...)
 */
export function* readLines(
  file: string | URL,
  options: ReadLinesOptions = {},
): Generator<string, void, undefined> {
  const { keepCr = false, chunkBytes = DEFAULT_CHUNK_BYTES } = options
  const fd = openSync(file, 'r')
  try {
    for (const text of readWholeLines(fd, chunkBytes)) {
      for (const line of text.split('\n')) yield keepCr || !line.endsWith('\r') ? line : line.slice(0, -1)
    }
  } finally {
    closeSync(fd)
  }
}

/** Yields pieces of text that end where a line ends. No UTF-8 sequence contains a newline's byte. */
function* readWholeLines(fd: number, chunkBytes: number): Generator<string, void, undefined> {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let rest: Buffer[] = []
  for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) {
    const read = chunk.subarray(0, size)
    const newline = read.lastIndexOf(NEWLINE)
    if (newline < 0) {
      rest.push(Buffer.from(read))
      continue
    }
    const head = read.subarray(0, newline)
    yield rest.length === 0 ? head.toString('utf8') : Buffer.concat([...rest, head]).toString('utf8')
    rest = newline + 1 < size ? [Buffer.from(read.subarray(newline + 1))] : []
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8')
}
