/**
 * Messages between a worker's thread and its process, framed, over pipes: in order, and whole or not at all.
 *
 * A frame is its length, its kind, the number of the question that it belongs to, and a value as the codec writes it.
 * Both ends are of one build of this package, and trust each other.
 *
 * There is a pipe for each direction. In one for both, a message to a process that has just ended breaks the pipe, and with it
 * go the answers that lie there unread.
 */
import type { Readable, Writable } from 'node:stream'
import { decode } from '../../queue/codec/decode.ts'
import { encodeToScratch } from '../../queue/codec/encode.ts'
import { writeAllSync } from '../write-sync.ts'

/** Length of the value (4), kind (1), number (4). */
const HEADER_BYTES = 9
const GATHERED_BYTES = 64 * 1024

export interface Message {
  kind: number
  /** Which question or answer; 0: none. */
  id: number
  value: unknown
}

/** A message as it lies in the pipe. */
export function frameOf(kind: number, id: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  frame.writeUInt32LE(body.length, 0)
  frame[4] = kind
  frame.writeUInt32LE(id, 5)
  frame.set(body, HEADER_BYTES)
  return frame
}

export class Channel {
  readonly #input: Readable
  readonly #output: Writable
  readonly #take: (message: Message) => void
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #isFlushDue = false
  /** The header of the frame that is being read, and how much of it is there. */
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerFilled = 0
  /** The value of the frame that is being read, if it came in pieces. */
  #body: Buffer | undefined
  #bodyFilled = 0
  /** Resolves when nothing more will come. */
  readonly closed: Promise<void>

  /** @param take called for each message that came, in order */
  constructor(input: Readable, output: Writable, take: (message: Message) => void) {
    this.#input = input
    this.#output = output
    this.#take = take
    input.on('data', (chunk: Buffer) => this.#read(chunk))
    // The other side is gone; 'close' follows.
    for (const pipe of [input, output]) pipe.on('error', () => {})
    this.closed = new Promise((resolve) => input.once('close', () => resolve()))
  }

  /** Sends it soon: see `flush`. @throws MILLRACE_NOT_CLONEABLE, MILLRACE_ITEM_TOO_LARGE */
  send(kind: number, id: number, value?: unknown): void {
    const frame = frameOf(kind, id, encodeToScratch(value))
    this.#gathered.push(frame)
    this.#gatheredBytes += frame.length
    if (this.#gatheredBytes >= GATHERED_BYTES) this.flush()
    else if (!this.#isFlushDue) {
      this.#isFlushDue = true
      setImmediate(() => {
        this.#isFlushDue = false
        this.flush()
      })
    }
  }

  /** Sends what was gathered now: for whoever is about to keep the event loop busy. */
  flush(): void {
    const frames = this.#gathered
    if (frames.length === 0) return
    this.#gathered = []
    this.#gatheredBytes = 0
    if (this.#output.writable) this.#output.write(frames.length === 1 ? frames[0] : Buffer.concat(frames))
  }

  /**
   * Writes what was gathered in a process that ends here and now: what it had answered would be taken for undone, and an
   * item that was answered for the one that ended it.
   */
  flushAtExit(fd: number): void {
    // Of a pipe that was closed the number may be another file's by now; behind what waits in it a frame would be torn.
    const isFree = !this.#output.destroyed && this.#output.writableLength === 0
    if (isFree) writeAllSync(fd, Buffer.concat(this.#gathered))
    this.#gathered = []
  }

  /** Sends what was gathered, and no more. */
  end(): void {
    this.flush()
    this.#output.end()
  }

  destroy(): void {
    this.#input.destroy()
    this.#output.destroy()
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#headerFilled < HEADER_BYTES) {
        const copied = chunk.copy(
          this.#header,
          this.#headerFilled,
          at,
          at + HEADER_BYTES - this.#headerFilled,
        )
        this.#headerFilled += copied
        at += copied
        if (this.#headerFilled < HEADER_BYTES) return
      }
      at = this.#readBody(chunk, at)
    }
  }

  /** Every value has a byte at least, so there is a chunk for it. Where it got to. */
  #readBody(chunk: Buffer, at: number): number {
    const length = this.#header.readUInt32LE(0)
    if (this.#body === undefined) {
      const end = at + length
      if (end <= chunk.length) {
        this.#deliver(chunk, at, end)
        return end
      }
      if (at === chunk.length) return at
      this.#body = Buffer.allocUnsafeSlow(length)
      this.#bodyFilled = 0
    }
    const body = this.#body
    const copied = chunk.copy(body, this.#bodyFilled, at, at + length - this.#bodyFilled)
    this.#bodyFilled += copied
    if (this.#bodyFilled === length) {
      this.#body = undefined
      this.#deliver(body, 0, length)
    }
    return at + copied
  }

  #deliver(source: Buffer, start: number, end: number): void {
    const kind = this.#header[4]
    const id = this.#header.readUInt32LE(5)
    this.#headerFilled = 0
    this.#take({ kind, id, value: decode(source, start, end) })
  }
}
