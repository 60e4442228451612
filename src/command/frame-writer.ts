/** Items into a program's input, and no more of them than it takes. */
import type { Writable } from 'node:stream'
import { show } from '../errors.ts'
import { badFrame } from './frame-decoder.ts'
import { type Framing, PREFIX_BYTES } from './framing.ts'

/** So many bytes are gathered before they are written. */
const GATHERED_BYTES = 64 * 1024
/** Bytes that the program has not taken before it gets no more. */
const MOST_WAITING_BYTES = 128 * 1024

/** An item as it is written, but for its prefix. */
export type Frame = string | Uint8Array

export class FrameWriter {
  readonly #stdin: Writable
  readonly #framing: Framing
  readonly #changed: () => void
  #gathered: (string | Uint8Array)[] = []
  #gatheredBytes = 0
  #isClosed = false

  /** @param changed called when it may have become writable */
  constructor(stdin: Writable, framing: Framing, changed: () => void) {
    this.#stdin = stdin
    this.#framing = framing
    this.#changed = changed
    stdin.on('drain', changed)
    stdin.once('close', () => {
      this.#isClosed = true
    })
  }

  /** Never again once the program has closed its input. */
  get isWritable(): boolean {
    if (this.#isClosed || this.#stdin.destroyed) return false
    return this.#stdin.writableLength < MOST_WAITING_BYTES
  }

  /** A promise if the item's memory is still in use. @throws MILLRACE_BAD_FRAME if the item does not fit the framing */
  write(item: unknown): undefined | Promise<void> {
    return this.writeFrame(encodeFrame(this.#framing, item))
  }

  /** @param frame of `encodeFrame` */
  writeFrame(frame: Frame): undefined | Promise<void> {
    if (typeof frame === 'string') return this.#gather(frame, frame.length)
    const { length } = frame
    if (this.#framing === 'length-prefixed') this.#gather(prefixOf(length), PREFIX_BYTES)
    // A copy of what is small costs less than a write.
    if (length < GATHERED_BYTES / 4) return this.#gather(Buffer.from(frame), length)
    this.flush()
    return new Promise((resolve) => {
      this.#stdin.write(frame, () => resolve())
    })
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.#gathered.length === 0) return
    const pieces = this.#gathered
    this.#gathered = []
    this.#gatheredBytes = 0
    if (!this.#stdin.writable) return
    const isText = typeof pieces[0] === 'string'
    this.#stdin.write(isText ? pieces.join('') : Buffer.concat(pieces as Uint8Array[]))
  }

  end(): void {
    this.flush()
    this.#stdin.end()
    this.#changed()
  }

  #gather(piece: string | Uint8Array, length: number): undefined {
    this.#gathered.push(piece)
    this.#gatheredBytes += length
    if (this.#gatheredBytes >= GATHERED_BYTES) this.flush()
  }
}

function prefixOf(length: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(length, 0)
  return prefix
}

/** @throws MILLRACE_BAD_FRAME if the item does not fit the framing */
export function encodeFrame(framing: Framing, item: unknown): Frame {
  if (framing === 'lines') {
    if (typeof item !== 'string')
      throw badFrame(`with input "lines" an item must be a string, got ${show(item)}`)
    if (!item.includes('\n')) return `${item}\n`
    throw badFrame(`with input "lines" an item has no newline in it, got ${show(item)}`)
  }
  if (framing === 'ndjson') {
    const text = jsonOf(item)
    if (text !== undefined) return `${text}\n`
    throw badFrame(`with input "ndjson" an item must have a JSON form, got ${show(item)}`)
  }
  if (!(item instanceof Uint8Array)) {
    const name = typeof framing === 'string' ? `"${framing}"` : `{ bytes: ${framing.bytes} }`
    throw badFrame(`with input ${name} an item must be a Uint8Array, got ${show(item)}`)
  }
  if (typeof framing === 'object' && item.length !== framing.bytes) {
    throw badFrame(
      `with input { bytes: ${framing.bytes} } an item must have so many bytes, got ${item.length}`,
    )
  }
  return item
}

/** What refers to itself has none, nor has a bigint. */
function jsonOf(item: unknown): string | undefined {
  try {
    return JSON.stringify(item)
  } catch {
    return undefined
  }
}
