/**
 * What goes into ffmpeg to be encoded. Its file is complete however the run ends, as far as ffmpeg is let to: at the end
 * and on a drain it reads to the end of its input; on an abort SIGTERM, at once, has it finish what it has. Where it
 * could not, that is told.
 */
import type { Logger } from '../define/stage-body.ts'
import { show } from '../errors.ts'
import { SENTINEL, type Sentinel } from '../sentinel.ts'
import { Ffmpeg, type FfmpegSpec, FINISH_MS } from './ffmpeg.ts'

export class Encoder {
  readonly #ffmpeg: Ffmpeg
  readonly #signal: AbortSignal
  /** It had to end before it was done. */
  #isCut = false

  /** @param signal of the abort: whatever waits for ffmpeg then does so no longer than it has to finish its file */
  static async start(spec: Omit<FfmpegSpec, 'hasInput'>, signal: AbortSignal): Promise<Encoder> {
    return new Encoder(await Ffmpeg.start({ ...spec, hasInput: true }), signal)
  }

  private constructor(ffmpeg: Ffmpeg, signal: AbortSignal) {
    this.#ffmpeg = ffmpeg
    this.#signal = signal
    // Nobody reads it, and nothing comes.
    ffmpeg.program.stdout.resume()
    signal.addEventListener('abort', this.#stop, { once: true })
    if (signal.aborted) void this.#stop()
  }

  /**
   * Resolves when the bytes may be used for something else; SENTINEL: ffmpeg has ended in order, and wants no more, as its
   * arguments may say.
   * @throws MILLRACE_MEDIA_FAILED
   */
  async write(bytes: Uint8Array): Promise<undefined | Sentinel> {
    const { stdin, ended } = this.#ffmpeg.program
    const written = new Promise<boolean>((resolve) => {
      if (stdin?.writable !== true) resolve(false)
      else stdin.write(bytes, (error) => resolve(error === undefined || error === null))
    })
    if ((await written) || this.#ffmpeg.program.isStopping) return undefined
    await ended
    if (this.#ffmpeg.program.isStopping) return undefined
    if (this.#ffmpeg.failure !== undefined) throw this.#ffmpeg.failure
    return SENTINEL
  }

  /** No more will come; resolves when the file is complete, or the run was aborted. @throws MILLRACE_MEDIA_FAILED */
  async finish(): Promise<void> {
    const { stdin, ended } = this.#ffmpeg.program
    stdin?.end()
    await ended
    if (this.#ffmpeg.failure !== undefined) throw this.#ffmpeg.failure
  }

  /** @throws MILLRACE_MEDIA_FAILED if ffmpeg had to be ended, and could not finish its file in time */
  async close(log: Logger): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop)
    await this.#stop()
    await this.#ffmpeg.close(log)
    const signal = this.#ffmpeg.program.end?.signal
    if (!this.#isCut || signal === null) return
    const late = `it did not finish the file within ${FINISH_MS.toLocaleString('en-US')} ms`
    throw this.#ffmpeg.failed([
      signal === 'SIGKILL'
        ? `${late}, and was killed: what is there may not play`
        : `${signal} ended it before it had begun`,
    ])
  }

  readonly #stop = (): Promise<void> => {
    const { program } = this.#ffmpeg
    this.#isCut ||= program.end === undefined
    return program.stop()
  }
}

/** At the end of the stream. Where nothing came nothing was begun, and what is there may be of another run. */
export async function finishFile(encoder: Encoder | undefined, place: string, log: Logger): Promise<void> {
  if (encoder === undefined) log.warn(`nothing came to be encoded: ${show(place)} is not written`)
  else await encoder.finish()
}
