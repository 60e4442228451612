/** The live view of a run: a few lines on a terminal, repainted in place, gone when the run has ended. */
import process from 'node:process'
import { isatty, type WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import { renderProgress } from '../observe/progress.ts'
import { textWidth } from '../observe/text-width.ts'
import type { PipelineManager } from '../run/manager.ts'
import { printError } from './print.ts'
import { RunWatch } from './watch-run.ts'

const FRAME_MS = 220
/** After something else was written, how long the terminal is left alone. */
const QUIET_MS = 1000
const CLEAR_BELOW = '\u001b[J'
const CLEAR_LINE_END = '\u001b[K'

export class LiveView {
  readonly #watch: RunWatch
  readonly #terminal: WriteStream
  #timer: NodeJS.Timeout | undefined
  /** Width of each line on the screen, above the cursor. */
  #painted: number[] = []
  #written = 0
  #writtenMs = Number.NEGATIVE_INFINITY

  /** None unless the stream is a terminal that can move its cursor. */
  static on(run: PipelineManager, stream: NodeJS.WriteStream): LiveView | undefined {
    const canMove = stream.isTTY && process.env.TERM !== 'dumb'
    return canMove ? new LiveView(run, stream as WriteStream) : undefined
  }

  constructor(run: PipelineManager, terminal: WriteStream) {
    this.#watch = new RunWatch(run)
    this.#terminal = terminal
  }

  start(): void {
    this.#terminal.on('resize', this.#paint)
    this.#timer = setInterval(this.#paint, FRAME_MS)
  }

  /** Writes what is to stay, above the view. */
  print(text: string): void {
    this.#lookForWriting()
    printError(`${this.#toTop()}${CLEAR_BELOW}${text}`)
    this.#painted = []
    this.#paint()
  }

  /** Takes the view away. */
  stop(): void {
    clearInterval(this.#timer)
    this.#terminal.off('resize', this.#paint)
    this.#lookForWriting()
    if (this.#painted.length > 0) printError(`${this.#toTop()}${CLEAR_BELOW}`)
    this.#painted = []
  }

  readonly #paint = (): void => {
    const progress = this.#watch.read()
    this.#lookForWriting()
    if (progress === undefined || performance.now() - this.#writtenMs < QUIET_MS) return
    const { columns = 80, rows = 24 } = this.#terminal
    const hasColors = this.#terminal.hasColors()
    const lines = renderProgress(progress, { columns: columns - 1, rows: rows - 1, hasColors })
    const text = lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')
    if (!printError(`${this.#toTop()}${text}${CLEAR_BELOW}`)) clearInterval(this.#timer)
    this.#painted = lines.map((line) => textWidth(stripVTControlCharacters(line)))
  }

  /** Where something else was written the cursor is no longer below the view: what is there stays. */
  #lookForWriting(): void {
    const written =
      this.#countWrites(2, process.stderr) + (isatty(1) ? this.#countWrites(1, process.stdout) : 0)
    if (written === this.#written) return
    this.#written = written
    this.#writtenMs = performance.now()
    this.#painted = []
  }

  /** By the workers, and by this thread through its streams: stages on the loop. The view does not go through them. */
  #countWrites(fd: 1 | 2, stream: NodeJS.WriteStream): number {
    return this.#watch.writes(fd) + (stream as WriteStream).bytesWritten
  }

  /** A terminal that became narrower has wrapped the lines. */
  #toTop(): string {
    const { columns = 80 } = this.#terminal
    const up = this.#painted.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0)
    return up === 0 ? '' : `\u001b[${up}A\r`
  }
}
