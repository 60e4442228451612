/** From the bytes of a program's output to frames. */
import { MillraceError, show } from '../errors.ts'
import { type Framing, PREFIX_BYTES } from './framing.ts'

/** Memory for the bytes of a frame. */
export type Alloc = (bytes: number) => Uint8Array

/** Adds the frames that are complete to `frames`: also those before one that is none. */
export interface FrameDecoder {
  /** Takes the next bytes, which are its own from now on. @throws MILLRACE_BAD_FRAME */
  push(chunk: Buffer, frames: unknown[]): void
  /** There are no more. @throws MILLRACE_BAD_FRAME if they end within a frame */
  end(frames: unknown[]): void
  /** Where the next bytes may be read to, so that they need not be copied; then `filled` is called, not `push`. */
  room?(): Uint8Array
  /** So many bytes have come to where `room` was. */
  filled?(bytes: number, frames: unknown[]): void
}

const NEWLINE = 0x0a
/** As much is read before it is known what frame it belongs to; the rest of a large frame goes straight to its memory. */
const LANDING_BYTES = 64 * 1024

export function makeDecoder(framing: Framing, maxFrameBytes: number, alloc: Alloc): FrameDecoder {
  if (framing === 'lines') return new LineDecoder(maxFrameBytes, (line) => line)
  if (framing === 'ndjson') return new LineDecoder(maxFrameBytes, parseLine)
  if (framing === 'chunks') return { push: (chunk, frames) => void frames.push(chunk), end: () => {} }
  if (framing === 'length-prefixed') return new PrefixDecoder(maxFrameBytes, alloc)
  return new BytesDecoder(framing.bytes, alloc)
}

/** Of a program that gives an empty frame, four zeros, when it is ready, and nothing before: that frame is left out. */
export class ReadyDecoder implements FrameDecoder {
  readonly #frames: FrameDecoder
  readonly #onReady: () => void
  /** Bytes of the word that are still to come. */
  #missing = PREFIX_BYTES

  constructor(frames: FrameDecoder, onReady: () => void) {
    this.#frames = frames
    this.#onReady = onReady
  }

  push(chunk: Buffer, frames: unknown[]): void {
    if (this.#missing === 0) {
      this.#frames.push(chunk, frames)
      return
    }
    const word = chunk.subarray(0, this.#missing)
    if (word.some((byte) => byte !== 0)) throw tooEarly(chunk)
    this.#missing -= word.length
    if (this.#missing > 0) return
    this.#onReady()
    if (chunk.length > word.length) this.#frames.push(chunk.subarray(word.length), frames)
  }

  end(frames: unknown[]): void {
    this.#frames.end(frames)
  }
}

function tooEarly(chunk: Buffer): MillraceError {
  const [line] = chunk.toString('utf8', 0, 200).split('\n')
  return badFrame(`it printed before it was ready (in Python: before "import millrace"): ${show(line)}`)
}

export function badFrame(message: string): MillraceError {
  return new MillraceError('MILLRACE_BAD_FRAME', message)
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw badFrame(`line ${number} of its output is no JSON: ${show(line)}`)
  }
}

class LineDecoder implements FrameDecoder {
  readonly #maxBytes: number
  readonly #read: (line: string, number: number) => unknown
  #rest: Buffer[] = []
  #restBytes = 0
  #lines = 0

  constructor(maxBytes: number, read: (line: string, number: number) => unknown) {
    this.#maxBytes = maxBytes
    this.#read = read
  }

  push(chunk: Buffer, frames: unknown[]): void {
    const newline = chunk.lastIndexOf(NEWLINE)
    if (newline < 0) {
      this.#keep(chunk)
      return
    }
    const head = chunk.subarray(0, newline)
    const whole = this.#rest.length === 0 ? head : Buffer.concat([...this.#rest, head])
    this.#rest = []
    this.#restBytes = 0
    this.#split(whole, frames)
    if (newline + 1 < chunk.length) this.#keep(chunk.subarray(newline + 1))
  }

  end(frames: unknown[]): void {
    if (this.#rest.length > 0) this.#split(Buffer.concat(this.#rest), frames)
  }

  #keep(piece: Buffer): void {
    this.#rest.push(piece)
    this.#restBytes += piece.length
    if (this.#restBytes > this.#maxBytes) throw this.#tooLong()
  }

  #tooLong(): MillraceError {
    return badFrame(`line ${this.#lines + 1} of its output is longer than maxFrameBytes (${this.#maxBytes})`)
  }

  /** No UTF-8 sequence contains a newline's byte. */
  #split(whole: Buffer, frames: unknown[]): void {
    const mayBeTooLong = whole.length > this.#maxBytes
    for (const line of whole.toString('utf8').split('\n')) {
      if (mayBeTooLong && Buffer.byteLength(line) > this.#maxBytes) throw this.#tooLong()
      frames.push(this.#read(line.endsWith('\r') ? line.slice(0, -1) : line, ++this.#lines))
    }
  }
}

/** Copies each byte once, to where its frame is to be, if it was not read there. */
class BytesDecoder implements FrameDecoder {
  readonly #bytes: number
  readonly #alloc: Alloc
  #frame: Uint8Array | undefined
  /** The frame's bytes; it may lie in shared memory, of which a Buffer can be filled fast. */
  #target: Buffer | undefined
  #filled = 0
  #landing: Buffer | undefined

  constructor(bytes: number, alloc: Alloc) {
    this.#bytes = bytes
    this.#alloc = alloc
  }

  /** A frame's memory is asked for when its first bytes are there, and no sooner: there may be none. */
  room(): Uint8Array {
    if (this.#isDirect) return (this.#target as Buffer).subarray(this.#filled)
    this.#landing ??= Buffer.allocUnsafeSlow(LANDING_BYTES)
    return this.#landing
  }

  filled(bytes: number, frames: unknown[]): void {
    if (this.#isDirect) this.#advance(bytes, frames)
    else this.push((this.#landing as Buffer).subarray(0, bytes), frames)
  }

  /** Changes by nothing but bytes that come. */
  get #isDirect(): boolean {
    return this.#target !== undefined && this.#bytes - this.#filled >= LANDING_BYTES
  }

  #advance(bytes: number, frames: unknown[]): void {
    this.#filled += bytes
    if (this.#filled < this.#bytes) return
    frames.push(this.#frame)
    this.#frame = undefined
    this.#target = undefined
    this.#filled = 0
  }

  push(chunk: Buffer, frames: unknown[]): void {
    for (let at = 0; at < chunk.length; ) {
      this.#target ??= this.#begin()
      const piece = chunk.subarray(at, at + this.#bytes - this.#filled)
      // Not `set`, which copies to shared memory byte by byte where the two are not aligned alike.
      this.#target.fill(piece, this.#filled, this.#filled + piece.length)
      at += piece.length
      this.#advance(piece.length, frames)
    }
  }

  #begin(): Buffer {
    const frame = this.#alloc(this.#bytes)
    this.#frame = frame
    return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  }

  end(): void {
    if (this.#filled === 0) return
    throw badFrame(`its output ends ${this.#filled} bytes after the last whole frame of ${this.#bytes} bytes`)
  }
}

class PrefixDecoder implements FrameDecoder {
  readonly #maxBytes: number
  readonly #alloc: Alloc
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  #prefixFilled = 0
  #body: BytesDecoder | undefined
  /** Bytes of the body that are still to come. */
  #missing = 0

  constructor(maxBytes: number, alloc: Alloc) {
    this.#maxBytes = maxBytes
    this.#alloc = alloc
  }

  push(chunk: Buffer, frames: unknown[]): void {
    for (let at = 0; at < chunk.length; ) at = this.#step(chunk, at, frames)
  }

  end(): void {
    if (this.#prefixFilled > 0) throw badFrame('its output ends within a frame')
  }

  /** Reads on in the prefix or in the body; where it got to. */
  #step(chunk: Buffer, at: number, frames: unknown[]): number {
    const wanted = PREFIX_BYTES - this.#prefixFilled
    if (wanted > 0) {
      const copied = chunk.copy(this.#prefix, this.#prefixFilled, at, at + wanted)
      this.#prefixFilled += copied
      if (copied === wanted) this.#beginBody(frames)
      return at + copied
    }
    const piece = chunk.subarray(at, at + this.#missing)
    this.#body?.push(piece, frames)
    this.#missing -= piece.length
    if (this.#missing === 0) this.#prefixFilled = 0
    return at + piece.length
  }

  #beginBody(frames: unknown[]): void {
    const bytes = this.#prefix.readUInt32BE(0)
    if (bytes > this.#maxBytes) {
      throw badFrame(`a frame of its output has ${bytes} bytes, more than maxFrameBytes (${this.#maxBytes})`)
    }
    this.#missing = bytes
    this.#body = new BytesDecoder(bytes, this.#alloc)
    if (bytes > 0) return
    frames.push(this.#alloc(0))
    this.#prefixFilled = 0
  }
}
