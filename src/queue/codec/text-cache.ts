import type { RawBuffer } from './raw-buffer.ts'

const SLOTS = 1024

/**
 * Strings that were read before, so that a repeated key or word is neither made nor internalised again.
 *
 * Holds at most SLOTS strings of the length its callers pass; a hit is verified byte by byte.
 */
export class TextCache {
  /** Whether the last text is one to be kept. */
  kept = true
  readonly #slots: string[] = new Array(SLOTS).fill('')
  readonly #keeps: (text: string) => boolean

  constructor(keeps: (text: string) => boolean) {
    this.#keeps = keeps
  }

  /** The string of the one-byte units `buf[pos, pos + length)`. */
  get(buf: RawBuffer, pos: number, length: number): string {
    this.kept = true
    if (length === 0) return ''
    const mixed = (length * 7 + buf[pos]) * 31 + buf[pos + (length >> 1)] * 17 + buf[pos + length - 1] * 131
    const slot = mixed & (SLOTS - 1)
    const found = this.#slots[slot]
    if (found.length === length) {
      let i = 0
      while (i < length && found.charCodeAt(i) === buf[pos + i]) i++
      if (i === length) return found
    }
    const text = buf.latin1Slice(pos, pos + length)
    if (this.#keeps(text)) this.#slots[slot] = text
    else this.kept = false
    return text
  }
}
