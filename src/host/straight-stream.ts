/** A standard stream whose writes are done when they return: see `write-sync.ts`. */
import process from 'node:process'
import { Writable } from 'node:stream'
import { show } from '../errors.ts'
import { writeAllSync } from './write-sync.ts'

type Written = (error?: Error | null) => void

export interface StraightSteps {
  /** Something is about to be written. */
  onWrite?: () => void
  /** Nobody reads it any more: further writes go nowhere. */
  onGone?: () => void
}

/** Its state is that of a stream, but what is written goes past it. */
export function makeStraight(stream: Writable, fd: 1 | 2, steps: StraightSteps = {}): void {
  let isGone = false
  stream.write = (
    chunk: unknown,
    encoding?: BufferEncoding | Written | undefined,
    written?: Written,
  ): boolean => {
    const after = typeof encoding === 'function' ? encoding : written
    const data = bytesOf(chunk, typeof encoding === 'string' ? encoding : 'utf8')
    steps.onWrite?.()
    if (!isGone && !writeAllSync(fd, data)) {
      isGone = true
      steps.onGone?.()
    }
    if (after !== undefined) queueMicrotask(after)
    return true
  }
  // A worker's stream has no descriptor of Node's, and one of ours has none.
  Object.defineProperty(stream, 'fd', { value: fd })
}

/**
 * Puts such a stream in the place of the process's own, before anyone has asked for that: Node would set the descriptor to
 * not wait, for native code, too, and lose what is not written when the process exits.
 */
export function replaceOwn(name: 'stdout' | 'stderr', fd: 1 | 2): void {
  const stream = new Writable({ write: (_chunk, _encoding, written) => written() })
  makeStraight(stream, fd)
  // Whoever pipes into it leaves some behind, and it lives as long as the process.
  stream.setMaxListeners(0)
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream })
}

function bytesOf(chunk: unknown, encoding: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding)
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const must = 'The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView'
  throw Object.assign(new TypeError(`${must}. Received ${show(chunk)}`), { code: 'ERR_INVALID_ARG_TYPE' })
}
