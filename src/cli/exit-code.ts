/** The exit code that a run ends with. */
import type { RunOutcome } from '../observe/report.ts'
import type { StopSignal } from '../run/signals.ts'

export const WRONG_USAGE = 2

const SIGNAL_CODES: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 }

/** A failed run is 1 even when a signal came; one that was aborted without a signal lost items, and is 1 too. */
export function exitCodeOf(outcome: RunOutcome, signal: StopSignal | undefined): number {
  if (outcome === 'failed') return 1
  if (signal !== undefined) return SIGNAL_CODES[signal]
  return outcome === 'aborted' ? 1 : 0
}
