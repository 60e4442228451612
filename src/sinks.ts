/** Sinks to end a pipeline with: `millrace/sinks`. */
import { closeSync, openSync } from 'node:fs'
import type { StageObject } from './define/stage-body.ts'
import { writeAllSync } from './host/write-sync.ts'

export interface WriteLinesOptions {
  /** Bytes gathered before they are written. Default 65,536. */
  bufferBytes?: number
}

interface LineFile {
  fd: number
  lines: string[]
  length: number
}

const DEFAULT_BUFFER_BYTES = 64 * 1024

/**
 * Writes each item as a line of a UTF-8 file, a newline after each. The file is made anew, and complete when the run
 * has ended, also after a drain or an abort. A number is a file descriptor that is open already, and stays open.
 */
export function writeLines(
  file: string | URL,
  options: WriteLinesOptions = {},
): StageObject<string, void, LineFile> {
  const { bufferBytes = DEFAULT_BUFFER_BYTES } = options
  return {
    open: () => ({ fd: typeof file === 'number' ? file : openSync(file, 'w'), lines: [], length: 0 }),
    process: (line, out) => {
      out.lines.push(line)
      out.length += line.length + 1
      if (out.length >= bufferBytes) writeOut(out)
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
  writeAllSync(out.fd, Buffer.from(`${out.lines.join('\n')}\n`))
  out.lines = []
  out.length = 0
}
