/** Moving ArrayBuffers: the bytes were copied into the queue, so here they only have to be let go. */
import { MillraceError, show } from '../errors.ts'

/** What can be moved through a queue. Ports and streams belong to a thread's event loop and cannot. */
export type Transferable = ArrayBuffer

/** @throws MILLRACE_NOT_CLONEABLE before anything is put */
export function checkTransfer(transfer: readonly unknown[]): void {
  for (const [index, entry] of transfer.entries()) {
    if (entry instanceof ArrayBuffer) continue
    throw new MillraceError(
      'MILLRACE_NOT_CLONEABLE',
      `transfer[${index}] must be an ArrayBuffer, got ${show(entry)}`,
    )
  }
}

/** Empties the buffers. Call it after the item was put. */
export function detach(buffers: ArrayBuffer[]): void {
  structuredClone(undefined, { transfer: buffers })
}
