/** Reads the values of records that `encode` wrote. What comes out never shares memory with the record. */

import type { RawBuffer } from './raw-buffer.ts'
import { readValue } from './read-value.ts'
import { corrupt, Reader, type SlabOpener } from './reader.ts'
import type { ShapeReader } from './shape-reader.ts'
import { INT32, SHORT_TEXT, SMALL_INT } from './tags.ts'

let idle: Reader | undefined = new Reader()

/**
 * The value whose record is exactly `source[start, end)`; nothing outside is read.
 *
 * Throws MILLRACE_CORRUPT_RECORD for bytes that `encode` cannot have written, or not all of them.
 */
export function decode(
  source: Buffer,
  start: number,
  end: number,
  slabs?: SlabOpener | undefined,
  shapes?: ShapeReader | undefined,
): unknown {
  const tag = source[start]
  // The commonest items: a short text, an integer. Its whole record is checked by this one comparison.
  if (tag >= SHORT_TEXT && tag < SMALL_INT && tag - SHORT_TEXT === end - start - 1) {
    return (source as RawBuffer).latin1Slice(start + 1, end)
  }
  if (tag >= SMALL_INT && end - start === 1) return tag - SMALL_INT
  if (tag === INT32 && end - start === 5) {
    return (
      source[start + 1] | (source[start + 2] << 8) | (source[start + 3] << 16) | (source[start + 4] << 24)
    )
  }
  const r = idle ?? new Reader()
  idle = undefined
  try {
    r.begin(source, start, end, slabs, shapes)
    const value = readValue(r)
    if (r.pos !== end) throw corrupt('bytes follow its value')
    if (r.holes !== 0) throw corrupt('a hole stands for a value')
    return value
  } finally {
    r.finish()
    idle = r
  }
}
