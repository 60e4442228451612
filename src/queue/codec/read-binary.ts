import { copyOut } from './raw-buffer.ts'
import { corrupt, type Reader } from './reader.ts'
import { BINARY_KINDS } from './tags.ts'

interface View {
  new (buffer: ArrayBuffer): ArrayBufferView
  BYTES_PER_ELEMENT?: number
}

/** Reads a buffer or a view, into memory of its own. */
export function readBinary(r: Reader): ArrayBuffer | ArrayBufferView {
  const kind = BINARY_KINDS[r.byte()]
  const length = r.length()
  const start = r.take(length)
  if (kind === 'ArrayBuffer') return r.remember(copyOut(r.buf, start, start + length))
  if (kind === 'Buffer') return r.remember(Buffer.from(copyOut(r.buf, start, start + length)))
  const View =
    kind === undefined ? undefined : (globalThis as unknown as Record<string, View | undefined>)[kind]
  if (View === undefined || length % (View.BYTES_PER_ELEMENT ?? 1) !== 0) throw corrupt('a view is invalid')
  return r.remember(new View(copyOut(r.buf, start, start + length)))
}
