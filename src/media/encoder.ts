/**
 * What goes into ffmpeg to be encoded. Its file is complete however the run ends, as far as ffmpeg is let to: at the end
 * and on a drain it reads to the end of its input; on an abort SIGTERM has it finish what it has.
 */
import type { MillraceError } from '../errors.ts'
import { Ffmpeg, type FfmpegSpec } from './ffmpeg.ts'

export class Encoder {
  readonly #ffmpeg: Ffmpeg

  static async start(spec: Omit<FfmpegSpec, 'hasInput'>): Promise<Encoder> {
    return new Encoder(await Ffmpeg.start({ ...spec, hasInput: true }))
  }

  private constructor(ffmpeg: Ffmpeg) {
    this.#ffmpeg = ffmpeg
    // Nobody reads it, and nothing comes.
    ffmpeg.program.stdout.resume()
  }

  /** Resolves when the bytes may be used for something else. @throws MILLRACE_MEDIA_FAILED */
  async write(bytes: Uint8Array): Promise<void> {
    const { stdin, ended } = this.#ffmpeg.program
    const written = new Promise<boolean>((resolve) => {
      if (stdin?.writable !== true) resolve(false)
      else stdin.write(bytes, (error) => resolve(error === undefined || error === null))
    })
    if (await written) return
    await ended
    throw this.#failure()
  }

  /** No more will come; resolves when the file is complete. @throws MILLRACE_MEDIA_FAILED */
  async finish(): Promise<void> {
    const { stdin, ended } = this.#ffmpeg.program
    stdin?.end()
    await ended
    if (this.#ffmpeg.failure !== undefined) throw this.#ffmpeg.failure
  }

  close(): Promise<void> {
    return this.#ffmpeg.program.stop()
  }

  #failure(): MillraceError {
    return this.#ffmpeg.failure ?? this.#ffmpeg.failed(['it takes no more'])
  }
}
