/** `millrace stress`: random pipelines under random faults. Returns the exit code. */
import process from 'node:process'
import type { CommandLine } from '../command-line.ts'
import { printError, printJson, printOut } from '../print.ts'
import { Stress } from './stress.ts'
import { StressLine } from './stress-line.ts'
import { readStressOptions } from './stress-options.ts'
import { renderStress, summarise } from './stress-summary.ts'

const INTERRUPTED = 130

/** @throws MILLRACE_USAGE */
export async function stressCommand(line: CommandLine): Promise<number> {
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
  if (!summary.isNothingLost || !isTold) return 1
  return isInterrupted ? INTERRUPTED : 0
}
