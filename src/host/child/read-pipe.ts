/**
 * A pipe for the output of a program whose bytes are read straight into memory that we choose: a frame's, perhaps.
 *
 * Node reads the pipes that it makes for a program into new memory, 64 KiB at a time. A socket that we connect
 * ourselves can be given memory to read into, and the other end of it is an ordinary descriptor for the program.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** What bytes are read into. */
export interface ReadTarget {
  /** Where the next bytes go. Asked for in advance: nobody else may write there before they have come. */
  room(): Uint8Array
  /** So many bytes have come to where `room` was. False: no more, until the stream is resumed. */
  filled(bytes: number): boolean
}

export interface ReadPipe {
  /** Ends when the program, and whoever inherited its end, have closed it. Has no 'data'. */
  ours: Socket
  /** The program's; destroy it when the program has been started. */
  theirs: Socket
}

/** Undefined where it cannot be had: no folder to put it in, another system. */
export async function openReadPipe(target: ReadTarget): Promise<ReadPipe | undefined> {
  if (process.platform === 'win32') return undefined
  let folder: string | undefined
  let ours: Socket | undefined
  const server = createServer({ pauseOnConnect: true })
  try {
    // Closed to others, so that nobody else connects.
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
    const place = path.join(folder, 'output')
    server.listen(place)
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const buffer = (): Uint8Array => target.room()
    ours = connect({ path: place, onread: { buffer, callback: (bytes) => target.filled(bytes) } })
    const [[theirs]] = await Promise.all([accepted, once(ours, 'connect')])
    return { ours, theirs }
  } catch {
    ours?.destroy()
    return undefined
  } finally {
    server.close(() => {})
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}
