/**
 * A pipe for the output of a program whose bytes are read straight into memory that we choose: a frame's, perhaps.
 *
 * Node reads the pipes that it makes for a program into new memory, 64 KiB at a time. A socket that we connect
 * ourselves can be given memory to read into, and the other end of it is an ordinary descriptor for the program.
 */
import { mkdtempSync, rmdirSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** Bytes that the path of a socket may have: what is longer is cut off without a word. macOS has the shortest. */
const LONGEST_PATH = 103

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

/** Undefined where it cannot be had: no folder to put it in, no descriptors left, another system. */
export async function openReadPipe(target: ReadTarget): Promise<ReadPipe | undefined> {
  if (process.platform === 'win32') return undefined
  let ours: Socket | undefined
  const server = createServer({ pauseOnConnect: true })
  try {
    // Closed to others, so that nobody else connects.
    const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
    const place = path.join(folder, 'output')
    const buffer = (): Uint8Array => target.room()
    try {
      if (Buffer.byteLength(place) > LONGEST_PATH) return undefined
      server.listen(place)
      ours = connect({ path: place, onread: { buffer, callback: (bytes) => target.filled(bytes) } })
    } finally {
      // Both have acted on the path at once: whatever comes now, nothing is left behind.
      remove(folder, place)
    }
    return { ours, theirs: await accepted(server, ours) }
  } catch {
    ours?.destroy()
    return undefined
  } finally {
    server.close(() => {})
  }
}

/** Without a descriptor, of which there may be none left. */
function remove(folder: string, place: string): void {
  try {
    unlinkSync(place)
  } catch {
    // It was not made.
  }
  rmdirSync(folder)
}

/** The other end of `ours`. Without a descriptor for it, the system closes it at once. */
function accepted(server: Server, ours: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    server.once('connection', resolve).once('error', reject)
    ours.once('error', reject).once('close', reject)
  })
}
