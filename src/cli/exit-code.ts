/** The exit code that a run ends with. */
import process from 'node:process'
import type { RunOutcome } from '../observe/report.ts'
import type { StopSignal } from '../run/signals.ts'

export const WRONG_USAGE = 2

/** As Node's where a top-level await is never settled: the process ends with it until it is known how. */
export const UNSETTLED = 13

const SIGNAL_CODES: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 }

/** A failed run is 1 even when a signal came; one that was aborted without a signal lost items, and is 1 too. */
export function exitCodeOf(outcome: RunOutcome, signal: StopSignal | undefined): number {
  if (outcome === 'failed') return 1
  if (signal !== undefined) return SIGNAL_CODES[signal]
  return outcome === 'aborted' ? 1 : 0
}

/** What the user's module has set stays where nothing of ours went wrong, as it does for any program of Node. */
export function withOwnCode(code: number): number {
  const { exitCode } = process
  return code !== 0 || exitCode == null || exitCode === UNSETTLED ? code : Number(exitCode)
}
