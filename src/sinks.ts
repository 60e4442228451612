/** Sinks to end a pipeline with: `millrace/sinks`. */
import { closeSync, openSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import type { StageObject } from './define/stage-body.ts'
import { writeAllSync } from './host/write-sync.ts'
import { SENTINEL, type Sentinel } from './sentinel.ts'

export interface WriteLinesOptions {
  /** Bytes gathered before they are written; 0 writes each line at once. Default 65,536. */
  bufferBytes?: number
}

interface LineFile {
  /** As it was given. */
  file: string | URL | number
  fd: number
  lines: string[]
  length: number
  /** The other side of the pipe is closed. */
  isClosed: boolean
}

const STDOUT = 1
const DEFAULT_BUFFER_BYTES = 64 * 1024

/**
 * Writes each item as a line of a UTF-8 file, a newline after each. The file is made anew, and complete when the run
 * has ended, also after a drain or an abort. A number is a file descriptor that is open already, and stays open; when
 * nobody reads it any more, the run ends early.
 *
 * An item counts as delivered when it is in the buffer. When a write fails, the run fails, and the error says how many
 * lines were in the buffer; when the worker dies, what was in the buffer is lost.
 */
export function writeLines(
  file: string | URL | number,
  options: WriteLinesOptions = {},
): StageObject<string, void | Sentinel, LineFile> {
  const { bufferBytes = DEFAULT_BUFFER_BYTES } = options
  return {
    open: () => ({
      file,
      fd: typeof file === 'number' ? file : openSync(file, 'w'),
      lines: [],
      length: 0,
      isClosed: false,
    }),
    process: (line, out) => {
      out.lines.push(line)
      out.length += line.length + 1
      if (out.length >= bufferBytes) writeOut(out)
      return out.isClosed ? SENTINEL : undefined
    },
    close: (out) => {
      try {
        writeOut(out)
      } finally {
        if (typeof file !== 'number') closeSync(out.fd)
      }
    },
  }
}

function writeOut(out: LineFile): void {
  const { lines } = out
  if (lines.length === 0) return
  // Before the write: if it fails half way, nothing may be written twice.
  out.lines = []
  out.length = 0
  try {
    writeBytes(out, Buffer.from(`${lines.join('\n')}\n`))
  } catch (error) {
    throw namingLines(error as NodeJS.ErrnoException, out.file, lines.length)
  }
}

function writeBytes(out: LineFile, bytes: Buffer): void {
  // A worker's stdout is straight, and drains the run when nobody reads it: host/thread/stdio.ts.
  if (out.fd === STDOUT && !isMainThread) process.stdout.write(bytes)
  else if (!writeAllSync(out.fd, bytes)) out.isClosed = true
}

/** They count as delivered, and are not, or not all. */
function namingLines(error: NodeJS.ErrnoException, file: LineFile['file'], lines: number): Error {
  const name = typeof file === 'number' ? `descriptor ${file}` : String(file)
  const what = lines === 1 ? 'the last line' : `the last ${lines} lines`
  const named = new Error(`${what} could not be written to ${name}: ${error.message}`, { cause: error })
  return Object.assign(named, { code: error.code })
}
