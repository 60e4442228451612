/**
 * Where a record says which slabs its value refers to: behind the value, in words, at the end of the record.
 *
 *   value | padding to a word | bytes of the value, bytes in slabs, { pool, start, units } ..., how many
 *
 * HAS_SLABS in the slot's KIND says that this is there. It is written before the record is published and lies still until
 * the record is given back. Whoever looks without being the reader may meet a record that is being overwritten; what it
 * finds is then anything, and it must look again whether the record was still there (lane.ts).
 */
import { peek, poke, type Words } from './atomics.ts'
import type { SlabNamer } from './codec/writer.ts'

/** A slab begins and ends at a multiple of so many bytes: a cache line. */
export const UNIT_BYTES = 64
export const UNIT_SHIFT = 6
/** Words of one reference: which pool, where in it, how long; the last two in units. */
export const REF_WORDS = 3

const VALUE_BYTES = 0
const SLAB_BYTES = 1
const REFS = 2
/** Words beside the references. */
const FRAME_WORDS = 3

/** The slabs of a worker, as its writers see them: what the record being written refers to. */
export interface RecordSlabs extends SlabNamer {
  /** Pool, start and units of each. */
  readonly refs: readonly number[]
  /** Bytes in slabs that the value shows. */
  readonly shownBytes: number
  /** The record is published. */
  publish(): void
}

/** Bytes that so many references add to a record, padding included. */
export function bytesOfRefs(count: number): number {
  return (FRAME_WORDS + count * REF_WORDS) * 4 + 3
}

/**
 * Writes the references behind a value that ends at `end`; where the record ends, or -1 if that is beyond `limit`.
 * @param from where the record begins
 */
export function writeRefs(
  arena: Words,
  from: number,
  end: number,
  limit: number,
  { refs, shownBytes }: RecordSlabs,
): number {
  const at = (end + 3) >> 2
  const behind = at + FRAME_WORDS + refs.length
  if (behind * 4 > limit || behind > arena.length) return -1
  poke(arena, at + VALUE_BYTES, end - from)
  poke(arena, at + SLAB_BYTES, Math.min(shownBytes, 2 ** 31 - 1))
  for (let index = 0; index < refs.length; index++) poke(arena, at + REFS + index, refs[index])
  poke(arena, behind - 1, refs.length / REF_WORDS)
  return behind * 4
}

/** The references of one record, as far as they make sense. */
export interface Refs {
  /** Word of the first one; -1: these are no references. */
  first: number
  count: number
  /** Bytes of the value, without the references. */
  valueBytes: number
  slabBytes: number
}

/** Reads into `refs`, which is given back: those of the record that lies at `from` and has `length` bytes. */
export function readRefs(arena: Words, from: number, length: number, refs: Refs): Refs {
  const behind = (from + length) >> 2
  const begin = (from + 3) >> 2
  refs.first = -1
  refs.count = 0
  if (length <= 0 || from < 0 || behind > arena.length || behind - begin < FRAME_WORDS) return refs
  const count = peek(arena, behind - 1)
  const at = behind - FRAME_WORDS - count * REF_WORDS
  if (count <= 0 || count * REF_WORDS > behind || at < begin) return refs
  refs.first = at + REFS
  refs.count = count
  refs.valueBytes = peek(arena, at + VALUE_BYTES)
  refs.slabBytes = peek(arena, at + SLAB_BYTES)
  if (refs.valueBytes < 0 || refs.valueBytes > length) refs.first = -1
  return refs
}

export function emptyRefs(): Refs {
  return { first: -1, count: 0, valueBytes: 0, slabBytes: 0 }
}
