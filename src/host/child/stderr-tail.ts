/** The last words of a program on its standard error. */
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Characters kept. */
const KEPT = 4096
/** A line that is longer is told in pieces. */
const LONGEST_LINE = 65_536
/** Lines that stand in an error's message. */
const QUOTED_LINES = 12

export interface StderrSteps {
  onStderr?: (chunk: Buffer) => void
  onStderrLine?: ((line: string) => void) | undefined
}

export class StderrTail {
  /** Resolves when there is no more of it. */
  readonly read: Promise<void>
  readonly #onLine: ((line: string) => void) | undefined
  #text = ''
  /** Of the line that is not complete, for `onLine`. */
  #line = ''
  #isCut = false

  constructor(stderr: Readable | undefined, { onStderr, onStderrLine }: StderrSteps) {
    this.#onLine = onStderrLine
    const decoder = new StringDecoder('utf8')
    stderr?.on('data', (chunk: Buffer) => {
      onStderr?.(chunk)
      this.#add(decoder.write(chunk))
    })
    // An error of a pipe ends it like its end does.
    stderr?.on('error', () => {})
    this.read =
      stderr === undefined
        ? Promise.resolve()
        : new Promise((resolve) => {
            stderr.once('close', () => {
              this.#add(decoder.end())
              if (this.#line !== '') this.#onLine?.(this.#line)
              resolve()
            })
          })
  }

  get text(): string {
    return this.#text
  }

  /** As it may stand at the end of a message. */
  quote(): string {
    const lines = this.#text.trimEnd().split(/\r?\n|\r/)
    if (lines.length === 1 && lines[0] === '') return ''
    const isCut = this.#isCut || lines.length > QUOTED_LINES
    const last = lines.slice(-QUOTED_LINES).map((line) => `\n  ${line}`)
    return `; ${isCut ? 'its last words' : 'its words'} on stderr:${last.join('')}`
  }

  #add(text: string): void {
    if (text === '') return
    const all = this.#text + text
    this.#isCut ||= all.length > KEPT
    this.#text = all.slice(-KEPT)
    if (this.#onLine === undefined) return
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line)
    if (this.#line.length < LONGEST_LINE) return
    this.#onLine(this.#line)
    this.#line = ''
  }
}
