/** Frames out of a program's output, as many at a time as are taken: when they are not, the program has to wait. */
import type { Readable } from 'node:stream'
import type { FrameDecoder } from './frame-decoder.ts'

/** Bytes that wait to be taken before no more are read. One chunk of a pipe has 64 KiB. */
const MOST_WAITING_BYTES = 256 * 1024

export class FrameReader {
  readonly #stdout: Readable
  readonly #decoder: FrameDecoder
  readonly #changed: () => void
  #frames: unknown[] = []
  #next = 0
  /** Bytes read since there was nothing to take. */
  #waitingBytes = 0
  #hasClosed = false
  #failure: Error | undefined

  /** @param changed called when there is something new to see */
  constructor(stdout: Readable, decoder: FrameDecoder, changed: () => void) {
    this.#stdout = stdout
    this.#decoder = decoder
    this.#changed = changed
    stdout.on('data', (chunk: Buffer) => this.#onData(chunk))
    stdout.once('end', () => this.#add((frames) => decoder.end(frames)))
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

  /** The oldest; there must be one. */
  take(): unknown {
    const frame = this.#frames[this.#next]
    this.#frames[this.#next++] = undefined
    if (this.hasFrame) return frame
    this.#frames = []
    this.#next = 0
    this.#waitingBytes = 0
    if (this.#stdout.isPaused()) this.#stdout.resume()
    return frame
  }

  /** Nothing is left, and nothing comes. */
  get hasEnded(): boolean {
    return this.#hasClosed && !this.hasFrame
  }

  /** What is wrong with the frame after the last that can be taken. */
  get failure(): Error | undefined {
    return this.hasFrame ? undefined : this.#failure
  }

  #onData(chunk: Buffer): void {
    this.#waitingBytes += chunk.length
    this.#add((frames) => this.#decoder.push(chunk, frames))
    if (!this.hasFrame) this.#waitingBytes = 0
    else if (this.#waitingBytes >= MOST_WAITING_BYTES) this.#stdout.pause()
  }

  #add(decode: (frames: unknown[]) => void): void {
    if (this.#failure !== undefined) return
    try {
      decode(this.#frames)
    } catch (error) {
      this.#failure = error as Error
      this.#stdout.destroy()
    }
    if (this.hasFrame || this.#failure !== undefined) this.#changed()
  }
}
