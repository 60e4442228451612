import { copyOut } from './raw-buffer.ts'
import { corrupt, type Reader } from './reader.ts'
import { BINARY_KINDS } from './tags.ts'

interface View {
  new (buffer: ArrayBufferLike, offset: number, length: number): ArrayBufferView
  BYTES_PER_ELEMENT?: number
}

/** Reads a buffer or a view, into memory of its own. */
export function readBinary(r: Reader): ArrayBuffer | ArrayBufferView {
  const kind = BINARY_KINDS[r.byte()]
  const length = r.length()
  const start = r.take(length)
  if (kind === 'ArrayBuffer') return r.remember(copyOut(r.buf, start, start + length))
  const view = viewOn(kind, copyOut(r.buf, start, start + length), 0, length)
  if (view === undefined) throw corrupt('a view is invalid')
  return r.remember(view)
}

/** Reads a view on a slab. */
export function readSlab(r: Reader): ArrayBufferView {
  const kind = BINARY_KINDS[r.byte()]
  const view = r.slabs?.open(r.length(), kind, r.length(), r.length())
  if (view === undefined) throw corrupt('it refers to a slab that is not here')
  return r.remember(view)
}

/** A view of one of the BINARY_KINDS on so many bytes; undefined if there can be none. */
export function viewOn(
  kind: string | undefined,
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
): ArrayBufferView | undefined {
  if (kind === 'Buffer') return Buffer.from(buffer, offset, length)
  const View =
    kind === undefined ? undefined : (globalThis as unknown as Record<string, View | undefined>)[kind]
  const size = View?.BYTES_PER_ELEMENT ?? 1
  if (View === undefined || kind === 'ArrayBuffer' || length % size !== 0 || offset % size !== 0)
    return undefined
  return new View(buffer, offset, length / size)
}
