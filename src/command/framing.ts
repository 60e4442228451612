/** How items lie in a program's input and output: what there is of it, and what each carries. */
import { isIntegerFrom } from '../define/option-table.ts'

/**
 * - 'lines': UTF-8 text, a newline after each.
 * - 'ndjson': a JSON value in each line.
 * - 'length-prefixed': bytes, before them their number as a 32-bit unsigned big-endian integer.
 * - { bytes: N }: so many bytes each, nothing between them.
 * - 'chunks': bytes as they come; where one ends means nothing.
 */
export type Framing = 'lines' | 'ndjson' | 'length-prefixed' | 'chunks' | { readonly bytes: number }

/** What an item is in a framing. */
export type FrameOf<F extends Framing> = F extends 'lines'
  ? string
  : F extends 'ndjson'
    ? unknown
    : Uint8Array

export const PREFIX_BYTES = 4
/** A frame is one piece of memory. */
export const MOST_FRAME_BYTES = 2 ** 31 - 2 ** 20

const NAMES: readonly unknown[] = ['lines', 'ndjson', 'length-prefixed', 'chunks']

export function isFraming(value: unknown): value is Framing {
  if (NAMES.includes(value)) return true
  if (typeof value !== 'object' || value === null) return false
  const { bytes, ...rest } = value as { bytes?: unknown }
  return isIntegerFrom(1, MOST_FRAME_BYTES)(bytes) && Object.keys(rest).length === 0
}
