/** What ffmpeg decodes, piece by piece, as a source reads it: it is ended when the source is. */

import type { FrameDecoder } from '../command/frame-decoder.ts'
import { FrameReader } from '../command/frame-reader.ts'
import type { Logger, SourceObject, StageContext } from '../define/stage-body.ts'
import { Ffmpeg } from './ffmpeg.ts'

export interface MediaInput<T> {
  args: readonly string[]
  what: string
  decoder: FrameDecoder
  onLine?: (line: string) => void
  /** Makes an item of a piece. `undefined`: something that belongs to it has not come yet; it is asked for again. */
  toItem: (piece: Uint8Array, index: number) => T | undefined
}

/** @param prepare asks what has to be known before ffmpeg is started */
export function mediaSource<T>(prepare: (ctx: StageContext) => Promise<MediaInput<T>>): SourceObject<T> {
  // By the context of the worker: several may run on one event loop.
  const sources = new WeakMap<object, MediaReader<T>>()
  return {
    items: async (ctx) => {
      const reader = await MediaReader.start(await prepare(ctx))
      sources.set(ctx, reader)
      return reader
    },
    close: (ctx) => sources.get(ctx)?.close(ctx.log),
  }
}

class MediaReader<T> implements AsyncIterableIterator<T, void> {
  readonly #ffmpeg: Ffmpeg
  readonly #reader: FrameReader
  readonly #toItem: MediaInput<T>['toItem']
  #wake = (): void => {}
  #piece: Uint8Array | undefined
  #index = 0
  /** Nothing more comes, neither of its output nor of its words. */
  #isOver = false

  static async start<T>(input: MediaInput<T>): Promise<MediaReader<T>> {
    let changed = (): void => {}
    const onLine = (line: string): void => {
      input.onLine?.(line)
      changed()
    }
    const frames = new FrameReader(input.decoder, () => changed())
    const { args, what } = input
    const ffmpeg = await Ffmpeg.start({ args, hasInput: false, what, onLine, stdoutInto: frames.target })
    frames.follow(ffmpeg.program.stdout)
    const reader = new MediaReader(ffmpeg, frames, input)
    changed = () => reader.#wake()
    return reader
  }

  private constructor(ffmpeg: Ffmpeg, frames: FrameReader, { toItem }: MediaInput<T>) {
    this.#ffmpeg = ffmpeg
    this.#toItem = toItem
    this.#reader = frames
    void ffmpeg.program.ended.then(() => {
      this.#isOver = true
      this.#wake()
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<T, void>> {
    for (;;) {
      const item = this.#take()
      if (item !== undefined) return { done: false, value: item }
      if (this.#isOver && this.#piece !== undefined) throw this.#incomplete()
      const hasEnded = this.#reader.hasEnded && this.#ffmpeg.program.end !== undefined
      // Its own words say more than that its output ends in the middle of a frame.
      if (hasEnded && this.#ffmpeg.failure !== undefined) throw this.#ffmpeg.failure
      if (hasEnded && this.#reader.failure !== undefined) throw this.#reader.failure
      if (hasEnded) return { done: true, value: undefined }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #incomplete(): Error {
    return this.#ffmpeg.failure ?? this.#ffmpeg.failed([`it did not say when frame ${this.#index} is shown`])
  }

  /** Nobody wants more. Waited for in `close`. */
  async return(): Promise<IteratorResult<T, void>> {
    void this.#ffmpeg.program.stop()
    return { done: true, value: undefined }
  }

  close(log: Logger): Promise<void> {
    return this.#ffmpeg.close(log)
  }

  #take(): T | undefined {
    if (this.#piece === undefined && this.#reader.hasFrame) this.#piece = this.#reader.take() as Uint8Array
    if (this.#piece === undefined) return undefined
    const item = this.#toItem(this.#piece, this.#index)
    if (item === undefined) return undefined
    this.#piece = undefined
    this.#index++
    return item
  }
}
