/** Starts ffmpeg and ffprobe, and says what became of them in their own words. */
import { fileURLToPath } from 'node:url'
import type { Logger } from '../define/stage-body.ts'
import { MillraceError, show } from '../errors.ts'
import { Program } from '../host/child/program.ts'
import type { ReadTarget } from '../host/child/read-pipe.ts'
import { FfmpegWords } from './ffmpeg-words.ts'

/** A file's path, a URL, a device, or whatever else ffmpeg takes as an input or output; a `URL` of a file is its path. */
export type MediaPlace = string | URL

/**
 * How long ffmpeg may take to finish its file after an abort, in milliseconds: on SIGTERM it writes what makes the file
 * playable. Less than the abort waits for its workers.
 */
export const FINISH_MS = 1_500

/** Each line begins with its level in brackets: so what was wrong can be told from the rest. */
const COMMON = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+info']

export interface FfmpegSpec {
  args: readonly string[]
  hasInput: boolean
  /** What it does, for the message: `decode "a.mp4"`. */
  what: string
  /** Takes each line that it says. */
  onLine?: (line: string) => void
  /** What its output is read into, where that can be done. */
  stdoutInto?: ReadTarget | undefined
}

/** A program of ffmpeg's that is running. */
export class Ffmpeg {
  readonly program: Program
  readonly #what: string
  readonly #name: string
  readonly #words: FfmpegWords
  #hasFailed = false

  /** @throws MILLRACE_MEDIA_FAILED if it cannot be started */
  static async start(
    { args, hasInput, what, onLine, stdoutInto }: FfmpegSpec,
    name = 'ffmpeg',
  ): Promise<Ffmpeg> {
    const words = new FfmpegWords()
    let started: Ffmpeg | undefined
    const onStderrLine = (line: string): void => {
      // That its pipes are closed is wrong for it alone.
      if (started?.program.isStopping !== true) words.add(line)
      onLine?.(line)
    }
    const own = name === 'ffmpeg' ? COMMON : ['-hide_banner', '-loglevel', 'level+error']
    const spec = {
      program: name,
      args: [...own, ...args],
      cwd: undefined,
      env: undefined,
      hasInput,
      stdoutInto,
    }
    try {
      const program = await Program.start({ ...spec, killMs: FINISH_MS, onStderrLine })
      started = new Ffmpeg(program, name, what, words)
      return started
    } catch (cause) {
      const message = `${name} cannot ${what}: ${(cause as Error).message}`
      throw new MillraceError('MILLRACE_MEDIA_FAILED', message, { cause })
    }
  }

  private constructor(program: Program, name: string, what: string, words: FfmpegWords) {
    this.program = program
    this.#name = name
    this.#what = what
    this.#words = words
    void program.ended.then(() => {
      this.#hasFailed = this.failure !== undefined
    })
  }

  /** Why it failed; undefined: it did not, or has not ended, or was told to end. */
  get failure(): MillraceError | undefined {
    const { end, isStopping } = this.program
    if (end === undefined || isStopping || end.exitCode === 0) return undefined
    return this.failed(this.#words.last)
  }

  /** Ends it, and logs what it said was wrong, unless it failed of it: the error has it then. */
  async close(log: Logger): Promise<void> {
    await this.program.stop()
    if (!this.#hasFailed) this.#words.tell(log, this.#what)
  }

  failed(words: readonly string[]): MillraceError {
    const { exitCode, signal } = this.program.end ?? { exitCode: null, signal: null }
    const how = signal === null ? `it exited with status ${exitCode}` : `it was ended by ${signal}`
    const message = `${this.#name} cannot ${this.#what}: ${words.length === 0 ? how : words.join('; ')}`
    return Object.assign(new MillraceError('MILLRACE_MEDIA_FAILED', message), { exitCode, signal })
  }
}

/** As ffmpeg takes it. */
export function placeOf(place: MediaPlace): string {
  return place instanceof URL && place.protocol === 'file:' ? fileURLToPath(place) : String(place)
}

/** As ffmpeg takes it for an output, which would be an option with a `-` before it; `-` alone is its standard output. */
export function outputOf(place: MediaPlace): string {
  const output = placeOf(place)
  return output.startsWith('-') && output !== '-' ? `./${output}` : output
}

export function checkPlace(subject: string, place: unknown): asserts place is MediaPlace {
  if (place instanceof URL || (typeof place === 'string' && place !== '' && !place.includes('\0'))) return
  const message = `${subject}: file must be a path, a URL or another input of ffmpeg's, got ${show(place)}`
  throw new MillraceError('MILLRACE_INVALID_OPTION', message, { option: 'file' })
}
