/** The live line of a stress test, repainted in place on a terminal. */
import type { WriteStream } from 'node:tty'
import { formatCount } from '../../observe/format-number.ts'
import { fitText } from '../../observe/text-width.ts'
import { printError } from '../print.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import type { StressOptions } from './stress-options.ts'
import type { StressTally } from './stress-tally.ts'

const FRAME_MS = 220
const CLEAR_LINE = '\r\u001b[K'

export class StressLine {
  readonly #terminal: WriteStream
  readonly #tally: StressTally
  readonly #options: StressOptions
  readonly #startedMs = performance.now()
  readonly #timer: NodeJS.Timeout

  /** None unless the stream is a terminal that can move its cursor. */
  static on(stream: NodeJS.WriteStream, tally: StressTally, options: StressOptions): StressLine | undefined {
    const canMove = stream.isTTY && process.env.TERM !== 'dumb'
    return canMove ? new StressLine(stream as WriteStream, tally, options) : undefined
  }

  constructor(terminal: WriteStream, tally: StressTally, options: StressOptions) {
    this.#terminal = terminal
    this.#tally = tally
    this.#options = options
    this.#timer = setInterval(() => this.#paint(), FRAME_MS)
    // What is left behind is counted; this is not.
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    printError(CLEAR_LINE)
  }

  #paint(): void {
    const seconds = Math.round((performance.now() - this.#startedMs) / 1_000)
    const text = renderLine(this.#tally, this.#options, seconds)
    printError(`${CLEAR_LINE}${fitText(text, (this.#terminal.columns ?? 80) - 1)}`)
  }
}

export function renderLine(tally: StressTally, { seconds, faults }: StressOptions, elapsed: number): string {
  const { runs, items, worst, breaches } = tally
  const counts = FAULT_KINDS.filter((kind) => faults.includes(kind)).map(
    (kind) => `${kind} ${formatCount(tally.faults[kind])}`,
  )
  const parts = [
    `stress ${elapsed} of ${seconds} s`,
    `${formatCount(runs)} runs`,
    `${formatCount(items)} items`,
    ...(counts.length > 0 ? [counts.join(' ')] : []),
    ...(worst === undefined ? [] : [`worst end ${Math.round(worst.ms)} ms`]),
    ...(breaches.length > 0 ? [`${breaches.length} wrong`] : []),
  ]
  return parts.join(', ')
}
