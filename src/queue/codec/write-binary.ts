import { types } from 'node:util'
import { described } from './platform.ts'
import { copyInto } from './raw-buffer.ts'
import { BINARY, BINARY_KINDS, SLAB } from './tags.ts'
import type { SlabNamer, Writer } from './writer.ts'

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype)
const typedArrayName = Object.getOwnPropertyDescriptor(TypedArray, Symbol.toStringTag)?.get as (
  this: object,
) => string | undefined

/**
 * Writes the bytes of a buffer, or those that a view shows.
 *
 * Not the whole buffer behind a view, as structuredClone would: a small view of a large pool is the usual
 * case, and the rest of the pool is nobody's business. So two views of one buffer arrive with one each.
 */
export function writeBinary(w: Writer, value: ArrayBufferView | ArrayBufferLike): void {
  if (types.isSharedArrayBuffer(value)) throw w.refusal('a SharedArrayBuffer')
  const bytes = shownBytes(value)
  if (bytes === undefined) throw w.refusal('a detached ArrayBuffer')
  const kind = BINARY_KINDS.indexOf(kindName(value))
  if (kind < 0) throw w.refusal(described(value))
  if (w.slabs !== undefined && ArrayBuffer.isView(value) && writeReference(w, w.slabs, value, kind)) return
  w.byte(BINARY)
  w.byte(kind)
  w.length(bytes.length)
  w.room(bytes.length)
  copyInto(w.buf, bytes, w.pos)
  w.pos += bytes.length
}

/** False: it lies in no slab, and is to be copied. */
function writeReference(w: Writer, slabs: SlabNamer, view: ArrayBufferView, kind: number): boolean {
  const where = slabs.name(view)
  if (where === 'elsewhere') return false
  if (where === 'in no slab') throw w.released()
  w.byte(SLAB)
  w.byte(kind)
  w.length(slabs.pool)
  w.length(view.byteOffset)
  w.length(view.byteLength)
  return true
}

function kindName(value: ArrayBufferView | ArrayBufferLike): string {
  if (!ArrayBuffer.isView(value)) return 'ArrayBuffer'
  if (Buffer.isBuffer(value)) return 'Buffer'
  return typedArrayName.call(value) ?? 'DataView'
}

/** Undefined for a detached buffer: V8 will not make a view of one. */
function shownBytes(value: ArrayBufferView | ArrayBufferLike): Uint8Array | undefined {
  try {
    if (!ArrayBuffer.isView(value)) return new Uint8Array(value)
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  } catch {
    return undefined
  }
}
