/** `millrace stress`: random pipelines under random faults. */
import process from 'node:process'
import type { CommandLine } from '../command-line.ts'
import { printError, printJson, printOut } from '../print.ts'
import type { RunEnd } from '../run-command.ts'
import { Stress } from './stress.ts'
import { StressLine } from './stress-line.ts'
import { readStressOptions } from './stress-options.ts'
import { renderStress, type StressSummary, summarise } from './stress-summary.ts'

const INTERRUPTED = 130
/** What the runs are called. */
const RANDOM_GRAPH = 'random graph'

/** @throws MILLRACE_USAGE */
export async function stressCommand(line: CommandLine): Promise<RunEnd> {
  const options = readStressOptions(line)
  if (!line.json) printError(`millrace stress: ${options.seconds} s, seed ${options.seed}\n`)
  const stress = new Stress(options)
  let isInterrupted = false
  const onInterrupt = (): void => {
    isInterrupted = true
    printError('millrace: no new run is begun. Ctrl-C again to exit at once.\n')
    stress.stop()
  }
  process.once('SIGINT', onInterrupt)
  const view = line.json ? undefined : StressLine.on(process.stderr, stress.tally, options)
  const startedMs = performance.now()
  const tally = await stress.run()
  view?.stop()
  process.off('SIGINT', onInterrupt)
  const summary = summarise(tally, options, performance.now() - startedMs)
  const isTold = line.json ? printJson(summary) : printOut(renderStress(summary, options.faults))
  return endOf(summary, isTold, isInterrupted)
}

/** A run that did not end may have a thread that cannot be ended: the process does not wait for it. */
export function endOf(
  { isNothingLost, outcomes }: StressSummary,
  isTold: boolean,
  isInterrupted: boolean,
): RunEnd {
  const stuck = outcomes['not ended'] === undefined ? [] : [RANDOM_GRAPH]
  if (!isNothingLost || !isTold) return { code: 1, stuck, signal: undefined }
  return { code: isInterrupted ? INTERRUPTED : 0, stuck, signal: undefined }
}
