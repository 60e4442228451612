/**
 * Writes values into records; `decode` reads them in another thread.
 *
 * Values travel as structuredClone carries them, with these exceptions:
 * - A view (typed array, DataView) takes along only the bytes it shows, so two views of one buffer arrive
 *   with a buffer each. A resizable ArrayBuffer arrives with a fixed length.
 * - A Buffer arrives as a Buffer, in memory of its own.
 * - Errors keep class, name, stack, code, causes and all own fields that can travel.
 * - Views of shared memory are copied, but for those that lie in a slab (queue/slabs.ts). A SharedArrayBuffer, and what
 *   Node.js moves or clones by means of its own (MessagePort, Blob, KeyObject, WebAssembly.Module, URL, Headers, ...), cannot travel.
 * - Containers may be nested MAX_DEPTH deep.
 */
import { putNumber, putText } from './put-scalar.ts'
import type { RawBuffer } from './raw-buffer.ts'
import type { ShapeWriter } from './shape-writer.ts'
import { writeValue } from './write-value.ts'
import { OVERFLOW, type SlabNamer, Writer } from './writer.ts'

/** Undefined while a record is being written: a getter of the value may encode another. */
let idle: Writer | undefined = new Writer()

/**
 * Writes `value` into `target[start, limit)` and returns where its record ends, or -1 if it does not fit.
 *
 * Nothing outside that range is written. Throws MILLRACE_NOT_CLONEABLE, and what a getter of `value` throws. What lies in
 * one of the slabs is named, not copied; then it may throw MILLRACE_SLAB_RELEASED. Objects of shapes that were learned are
 * written without their keys.
 */
export function encode(
  value: unknown,
  target: Buffer,
  start: number,
  limit: number,
  slabs?: SlabNamer | undefined,
  shapes?: ShapeWriter | undefined,
): number {
  if (typeof value === 'string') return putText(value, target as RawBuffer, start, limit)
  if (typeof value === 'number') return putNumber(value, target as RawBuffer, start, limit)
  const w = idle ?? new Writer()
  idle = undefined
  try {
    w.begin(target, start, limit, slabs, shapes)
    writeValue(w, value)
    return w.pos
  } catch (reason) {
    if (reason === OVERFLOW) return -1
    throw reason
  } finally {
    w.finish()
    idle = w
  }
}

/**
 * Encodes a value of any size into memory of its own; valid until the next call.
 *
 * Throws as `encode`, and MILLRACE_ITEM_TOO_LARGE.
 */
export function encodeToScratch(
  value: unknown,
  slabs?: SlabNamer | undefined,
  shapes?: ShapeWriter | undefined,
): Buffer {
  const w = idle ?? new Writer()
  idle = undefined
  try {
    w.beginScratch(slabs, shapes)
    writeValue(w, value)
    return w.buf.subarray(0, w.pos)
  } finally {
    w.finish()
    idle = w
  }
}
