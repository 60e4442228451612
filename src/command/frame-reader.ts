/** Frames out of a program's output, as many at a time as are taken: when they are not, the program has to wait. */
import type { Readable } from 'node:stream'
import type { ReadTarget } from '../host/child/read-pipe.ts'
import type { FrameDecoder } from './frame-decoder.ts'

/** Bytes that wait to be taken before no more are read. One chunk of a pipe has 64 KiB. */
const MOST_WAITING_BYTES = 256 * 1024

export class FrameReader {
  #stdout: Readable | undefined
  readonly #decoder: FrameDecoder
  readonly #changed: () => void
  #frames: unknown[] = []
  #next = 0
  /** Bytes read since there was nothing to take. */
  #waitingBytes = 0
  #isHeld = false
  #hasClosed = false
  #failure: Error | undefined
  #isCut = false

  /** @param changed called when there is something new to see, once it follows a stream */
  constructor(decoder: FrameDecoder, changed: () => void) {
    this.#decoder = decoder
    this.#changed = changed
  }

  /** What the stream is to be read into; undefined: it reads what the stream gives. */
  get target(): ReadTarget | undefined {
    const decoder = this.#decoder
    if (decoder.room === undefined || decoder.filled === undefined) return undefined
    return {
      room: () => decoder.room?.() as Uint8Array,
      filled: (bytes) => this.#receive(bytes, (frames) => decoder.filled?.(bytes, frames)),
    }
  }

  /** Reads the stream to its end. */
  follow(stdout: Readable): void {
    this.#stdout = stdout
    const changed = this.#changed
    // Read into the target, it may have given something already.
    if (this.hasFrame) setImmediate(changed)
    stdout.on('data', (chunk: Buffer) => {
      if (!this.#receive(chunk.length, (frames) => this.#decoder.push(chunk, frames))) stdout.pause()
    })
    stdout.once('end', () => this.#add((frames) => this.#decoder.end(frames), true))
    // A pipe that breaks is one that has ended.
    stdout.on('error', () => {})
    stdout.once('close', () => {
      this.#hasClosed = true
      changed()
    })
  }

  get hasFrame(): boolean {
    return this.#next < this.#frames.length
  }

  /** Frames that can be taken. */
  get waiting(): number {
    return this.#frames.length - this.#next
  }

  /** The oldest; there must be one. */
  take(): unknown {
    const frame = this.#frames[this.#next]
    this.#frames[this.#next++] = undefined
    if (this.hasFrame) return frame
    this.#frames = []
    this.#next = 0
    this.#waitingBytes = 0
    if (this.#isHeld) this.#stdout?.resume()
    this.#isHeld = false
    return frame
  }

  /** Nothing is left, and nothing comes. */
  get hasEnded(): boolean {
    return this.#hasClosed && !this.hasFrame
  }

  /** Whether the output ended within a frame: the program may have died of something that says more. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** What is wrong with the frame after the last that can be taken. */
  get failure(): Error | undefined {
    return this.hasFrame ? undefined : this.#failure
  }

  /** Whether more may come. */
  #receive(bytes: number, decode: (frames: unknown[]) => void): boolean {
    this.#waitingBytes += bytes
    this.#add(decode)
    if (!this.hasFrame) this.#waitingBytes = 0
    else if (this.#waitingBytes >= MOST_WAITING_BYTES) this.#isHeld = true
    return !this.#isHeld
  }

  #add(decode: (frames: unknown[]) => void, isEnd = false): void {
    if (this.#failure !== undefined) return
    try {
      decode(this.#frames)
    } catch (error) {
      this.#failure = error as Error
      this.#isCut = isEnd
      this.#stdout?.destroy()
    }
    if (this.#stdout !== undefined && (this.hasFrame || this.#failure !== undefined)) this.#changed()
  }
}
