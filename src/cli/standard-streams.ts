/** The main thread's own standard streams: what stages on the loop and the user's module write. */
import process from 'node:process'

/**
 * When the reader of a standard stream is gone (`| head`), calls back, and nothing crashes. Workers see it by
 * themselves: host/thread/stdio.ts.
 */
export function whenReaderLeaves(react: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      react()
    })
  }
}

/** Resolves when all that this thread wrote to stdout has gone out, or nobody reads it. */
export async function flushStdout(): Promise<void> {
  const { stdout } = process
  if (stdout.destroyed || stdout.writableLength === 0) return
  await new Promise<void>((resolve) => stdout.write('', () => resolve()))
}
