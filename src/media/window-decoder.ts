/** From the bytes of a sound to windows of one length: the last may be shorter. */
import type { FrameDecoder } from '../command/frame-decoder.ts'

export class WindowDecoder implements FrameDecoder {
  readonly #bytes: number
  /** Memory of its own, so that it can be seen as numbers of any size. */
  #window: Uint8Array | undefined
  #filled = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  push(chunk: Buffer, frames: unknown[]): void {
    for (let at = 0; at < chunk.length; ) {
      this.#window ??= new Uint8Array(this.#bytes)
      const piece = chunk.subarray(at, at + this.#bytes - this.#filled)
      this.#window.set(piece, this.#filled)
      this.#filled += piece.length
      at += piece.length
      if (this.#filled === this.#bytes) this.#give(frames)
    }
  }

  end(frames: unknown[]): void {
    if (this.#filled > 0) this.#give(frames)
  }

  #give(frames: unknown[]): void {
    frames.push(this.#filled === this.#bytes ? this.#window : this.#window?.slice(0, this.#filled))
    this.#window = undefined
    this.#filled = 0
  }
}
