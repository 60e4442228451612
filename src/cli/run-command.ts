/** `millrace run FILE`: runs a pipeline, shows how it goes, says what came of it. */
import process from 'node:process'
import type { RunOptions } from '../define/stage-options.ts'
import { PipelineError } from '../errors.ts'
import type { Report } from '../observe/report.ts'
import { renderSummary } from '../observe/summary.ts'
import { PipelineManager } from '../run/manager.ts'
import { prepare } from '../run/prepare.ts'
import type { CommandLine } from './command-line.ts'
import { exitCodeOf } from './exit-code.ts'
import { LiveView } from './live-view.ts'
import { buildFromFile, openPipelineFile } from './load-pipeline-file.ts'
import { printError, printOut } from './print.ts'
import { showFailures } from './show-error.ts'
import { flushStdout, whenReaderLeaves } from './standard-streams.ts'
import { pipelineHelp } from './usage.ts'

/** What the process is to end with. */
export interface RunEnd {
  code: number
  /** Names of the stages whose threads cannot be ended. */
  stuck: string[]
  signal: NodeJS.Signals | undefined
}

const DEFAULT_DRAIN_MS = 30_000

/** @throws what is wrong with the pipeline, before any thread was started */
export async function runCommand(line: CommandLine): Promise<RunEnd> {
  let run: PipelineManager | undefined
  whenReaderLeaves(() => run?.drain('nobody reads the output any more'))
  const file = await openPipelineFile(line)
  if (line.help) {
    printOut(pipelineHelp('run', file.file, file.known))
    return { code: 0, stuck: [], signal: undefined }
  }
  const loaded = await buildFromFile(file, line.rest)
  const options: RunOptions = { signals: true, drainMs: line.deadlineMs ?? DEFAULT_DRAIN_MS }
  run = new PipelineManager(() => prepare(loaded, { run: options }, {}), options)
  const view = line.quiet ? undefined : LiveView.on(run, process.stderr)
  announceSignals(run, view, options)
  run.start()
  view?.start()
  const report = await run
    .join()
    .catch(reportOf)
    .finally(() => view?.stop())
  await tell(report, line)
  const stuck = report.failures.filter((failure) => failure.code === 'MILLRACE_WORKER_STUCK')
  return {
    code: exitCodeOf(report.outcome, run.endedBy),
    stuck: stuck.map((failure) => failure.stage),
    signal: run.endedBy,
  }
}

function reportOf(error: unknown): Report {
  if (error instanceof PipelineError) return error.report as Report
  throw error
}

function announceSignals(
  run: PipelineManager,
  view: LiveView | undefined,
  { drainMs = DEFAULT_DRAIN_MS }: RunOptions,
): void {
  const say = (text: string): void => (view === undefined ? void printError(text) : view.print(text))
  run.on('signal', (_, count) => {
    if (count > 1) say('millrace: aborting. Ctrl-C again to exit at once.\n')
    else
      say(
        `millrace: draining: what was read is finished first (deadline ${drainMs / 1000} s). Ctrl-C again to abort.\n`,
      )
  })
}

/** The summary, the errors; the report last, and on a line of its own. */
async function tell(report: Report, { quiet, json, verbose }: CommandLine): Promise<void> {
  if (!quiet) {
    const { isTTY, columns } = process.stderr
    const paper = {
      columns: isTTY ? columns : Number.POSITIVE_INFINITY,
      hasColors: isTTY && process.stderr.hasColors(),
    }
    printError(`${renderSummary(report, paper).join('\n')}\n`)
  }
  printError(showFailures(report.failures, verbose))
  await flushStdout()
  if (json) printOut(`${toJson(report)}\n`)
}

/** A field of a user's error may hold what JSON does not have. */
function toJson(report: Report): string {
  return JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}
