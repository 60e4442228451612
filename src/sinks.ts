/** Sinks to end a pipeline with: `millrace/sinks`. */
import { closeSync, openSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import type { StageObject } from './define/stage-body.ts'
import { writeAllSync } from './host/write-sync.ts'
import { SENTINEL, type Sentinel } from './sentinel.ts'

export interface WriteLinesOptions {
  /** Bytes gathered before they are written. Default 65,536. */
  bufferBytes?: number
}

interface LineFile {
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
 */
export function writeLines(
  file: string | URL | number,
  options: WriteLinesOptions = {},
): StageObject<string, void | Sentinel, LineFile> {
  const { bufferBytes = DEFAULT_BUFFER_BYTES } = options
  return {
    open: () => ({
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
  if (out.lines.length === 0) return
  const bytes = Buffer.from(`${out.lines.join('\n')}\n`)
  // A worker's stdout is straight, and drains the run when nobody reads it: host/thread/stdio.ts.
  if (out.fd === STDOUT && !isMainThread) process.stdout.write(bytes)
  else if (!writeAllSync(out.fd, bytes)) out.isClosed = true
  out.lines = []
  out.length = 0
}
