/** What ffmpeg says is wrong: for the error, where it fails of it, and else for the log, for it goes on over what it can. */
import type { Logger } from '../define/stage-body.ts'

const SERIOUS = /^.*?\[(?:error|fatal|panic)\] /
/** Said at the end of what was said before. */
const NOISE = /Error while (?:decoding|processing)|Conversion failed|Error (?:closing|submitting)/
/** Of times that nobody uses: frames go out without any. */
const HARMLESS = /non monoton(?:ous|ically increasing) dts to muxer/
const LAST_LINES = 8
const LOGGED_LINES = 20

export class FfmpegWords {
  readonly #logged = new Set<string>()
  #unlogged = 0
  readonly #last: string[] = []

  /** Takes any line that it says; bounded, for a damaged video may have it say one for each frame. */
  add(line: string): void {
    if (!SERIOUS.test(line) || HARMLESS.test(line)) return
    const words = line.replace(SERIOUS, '')
    if (!NOISE.test(words)) this.#last.push(words)
    if (this.#last.length > LAST_LINES) this.#last.shift()
    if (this.#logged.size < LOGGED_LINES) this.#logged.add(words)
    else if (!this.#logged.has(words)) this.#unlogged++
  }

  /** Those that say most of why it ended. */
  get last(): readonly string[] {
    return this.#last
  }

  /** Each once. @param what it does: `decode 'a.mp4'` */
  tell(log: Logger, what: string): void {
    const who = `ffmpeg, told to ${what}, says`
    for (const words of this.#logged) log.warn(`${who}: ${words}`)
    if (this.#unlogged > 0) log.warn(`${who} ${this.#unlogged.toLocaleString('en-US')} more lines`)
  }
}
