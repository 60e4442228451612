/**
 * The shapes that one producer of a queue has learned, in shared memory: lists of keys, numbered as they lie there.
 *
 *   END: bytes in use | keys, then for each key: length, one-byte units | ...
 *
 * Nothing is ever changed or taken out. The producer alone appends: it fills the bytes with plain writes, then stores END;
 * a record that names a shape is published after that. So whoever sees such a record, also in the producer's or the
 * consumer's next life, finds its shape; and what a producer that died had not published does not exist.
 */
import { load, store, type Words } from '../atomics.ts'
import { corrupt } from './reader.ts'

/** Bytes of a table. */
export const TABLE_BYTES = 8 * 1024
/** A tag of one byte names a shape. */
export const MOST_SHAPES = 64
export const MOST_KEYS = 64
export const MOST_KEY_UNITS = 64

const END = 0
const BEGIN = 4

export class ShapeTable {
  readonly #words: Words
  readonly #bytes: Uint8Array
  /** Where what was read ends. */
  #end = BEGIN

  constructor(memory: SharedArrayBuffer, at: number) {
    this.#words = new Int32Array(memory, at, 1)
    this.#bytes = new Uint8Array(memory, at, TABLE_BYTES)
  }

  /** The shapes that were added since the last call. @throws MILLRACE_CORRUPT_RECORD */
  news(): string[][] {
    const end = Math.max(BEGIN, load(this.#words, END))
    if (end > TABLE_BYTES) throw corrupt('its shapes are no shapes')
    const shapes: string[][] = []
    while (this.#end < end) shapes.push(this.#read(end))
    return shapes
  }

  /** Adds a shape, if there is room. Only while there are no news. */
  append(keys: readonly string[]): boolean {
    const bytes = keys.reduce((sum, key) => sum + 1 + key.length, 1)
    if (this.#end + bytes > TABLE_BYTES) return false
    let at = this.#end
    this.#bytes[at++] = keys.length
    for (const key of keys) {
      this.#bytes[at++] = key.length
      for (let unit = 0; unit < key.length; unit++) this.#bytes[at++] = key.charCodeAt(unit)
    }
    this.#end = at
    store(this.#words, END, at)
    return true
  }

  #read(end: number): string[] {
    const keys: string[] = []
    let at = this.#end
    for (let left = this.#bytes[at++]; left > 0; left--) {
      const from = at + 1
      at = from + this.#bytes[at]
      if (!(at <= end)) throw corrupt('its shapes are no shapes')
      keys.push(String.fromCharCode(...this.#bytes.subarray(from, at)))
    }
    this.#end = at
    return keys
  }
}
