/** Moving ArrayBuffers: the bytes were copied into the queue, so here they only have to be let go. */
import { MillraceError, show } from '../errors.ts'

/** What can be moved through a queue. Ports and streams belong to a thread's event loop and cannot. */
export type Transferable = ArrayBuffer

/** @throws MILLRACE_NOT_CLONEABLE before anything is put */
export function checkTransfer(transfer: readonly unknown[]): void {
  for (const [index, entry] of transfer.entries()) {
    const fault = faultOf(entry, transfer.indexOf(entry) < index)
    if (fault !== undefined) throw new MillraceError('MILLRACE_NOT_CLONEABLE', `transfer[${index}] ${fault}`)
  }
}

function faultOf(entry: unknown, isRepeated: boolean): string | undefined {
  if (!(entry instanceof ArrayBuffer)) return `must be an ArrayBuffer, got ${show(entry)}`
  if (isRepeated) return 'is in the list already'
  return isDetached(entry) ? 'is detached: it was transferred before' : undefined
}

/** Node 20 has no `buffer.detached`, and would transfer such a buffer once more, empty. */
function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** Empties the buffers. Call it after the item was put. */
export function detach(buffers: ArrayBuffer[]): void {
  structuredClone(undefined, { transfer: buffers })
}
