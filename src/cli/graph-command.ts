/** `millrace graph FILE`: the plan of a pipeline as a picture. */
import { printableLine } from '../observe/printable.ts'
import { drawPlan } from '../plan/draw.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { CommandLine } from './command-line.ts'
import { buildFromFile, openPipelineFile } from './load-pipeline-file.ts'
import { printOut } from './print.ts'
import { whenReaderLeaves } from './standard-streams.ts'
import { pipelineHelp } from './usage.ts'

/** @returns the exit code */
export async function graphCommand(line: CommandLine): Promise<number> {
  whenReaderLeaves(() => {})
  const file = await openPipelineFile(line)
  if (line.help) printOut(pipelineHelp('graph', file.file, file.known))
  else {
    const { pipeline } = await buildFromFile(file, line.rest)
    // Open ends are drawn as they are: as what the caller of start() would be.
    const plan = makePlan(pipeline, { hasInput: true, canOutput: true })
    printOut(drawPlan(plan, line.format, printableLine))
  }
  return 0
}
