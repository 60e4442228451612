/** `millrace run FILE`: runs a pipeline, shows how it goes, says what came of it. */
import process from 'node:process'
import type { RunOptions } from '../define/stage-options.ts'
import { PipelineError } from '../errors.ts'
import type { MetricsServer } from '../metrics/serve-metrics.ts'
import { printableLine } from '../observe/printable.ts'
import type { Report } from '../observe/report.ts'
import { renderSummary } from '../observe/summary.ts'
import { PipelineManager } from '../run/manager.ts'
import { prepare } from '../run/prepare.ts'
import { announceDiagnosis } from './announce-diagnosis.ts'
import { type CommandLine, usage } from './command-line.ts'
import { exitCodeOf } from './exit-code.ts'
import { type ExitCause, watchExit } from './exit-watch.ts'
import { LiveView } from './live-view.ts'
import { buildFromFile, openPipelineFile } from './load-pipeline-file.ts'
import { printError, printJson, printOut } from './print.ts'
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
  // Before anything is set up that a refusal would leave behind.
  const metrics = await openMetrics(run, line)
  const view = line.quiet ? undefined : LiveView.on(run, process.stderr)
  announceSignals(run, view, options)
  announceTrouble(run, view, line)
  const sayText = (text: string): void => (view === undefined ? void printError(text) : view.print(text))
  const forgetAsking = announceDiagnosis(run, sayText, line.quiet)
  const forget = watchExit((cause) => {
    view?.stop()
    return tellUnfinished(run.report, cause, line)
  })
  run.start()
  view?.start()
  try {
    const report = await run
      .join()
      .catch(reportOf)
      .finally(() => view?.stop())
    const isTold = await tell(report, line)
    const code = exitCodeOf(report.outcome, run.endedBy)
    return { code: isTold ? code : code || 1, stuck: stuckThreads(run, report), signal: run.endedBy }
  } finally {
    await metrics?.close()
    forget()
    forgetAsking()
  }
}

/** Before any thread is started. @throws MILLRACE_USAGE if the port is not to be had */
async function openMetrics(
  run: PipelineManager,
  { metricsPort }: CommandLine,
): Promise<MetricsServer | undefined> {
  if (metricsPort === undefined) return undefined
  // It brings http, which few need.
  const { serveMetrics } = await import('../metrics/serve-metrics.ts')
  try {
    const server = await serveMetrics(run, { port: metricsPort })
    printError(`millrace: metrics at ${server.url}\n`)
    return server
  } catch (error) {
    throw usage(`--metrics-port ${metricsPort}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** What runs on the loop keeps no process from ending. */
function stuckThreads({ stages }: PipelineManager, { failures }: Report): string[] {
  const threads = stages.filter((stage) => stage.host !== 'loop').map((stage) => stage.name)
  const stuck = failures.filter((failure) => failure.code === 'MILLRACE_WORKER_STUCK')
  return stuck.map((failure) => failure.stage).filter((stage) => threads.includes(stage))
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

/** What the run gets over, but someone should know. */
function announceTrouble(run: PipelineManager, view: LiveView | undefined, { quiet }: CommandLine): void {
  if (quiet) return
  const say = (line: string): void => {
    const text = `millrace: ${printableLine(line)}\n`
    if (view === undefined) printError(text)
    else view.print(text)
  }
  run.on('restart', ({ death, delayMs }) => {
    say(
      `${death.message}; it is started again${delayMs >= 1000 ? ` in ${Math.round(delayMs / 1000)} s` : ''}`,
    )
  })
  run.on('stuck', ({ stage, worker, item, sinceMs, stack }) => {
    const where = stack === undefined ? '' : `, ${stack.split('\n')[0].trim()}`
    say(
      `stage "${stage}" (worker ${worker}) has been busy with item ${item} for ${Math.round(sinceMs / 1000)} s${where}`,
    )
  })
}

const UNFINISHED: Readonly<Record<ExitCause, string>> = {
  exit: 'the process was ended from inside (process.exit) before the run was done',
  unsettled: 'the run cannot go on: a stage on the loop awaits something that never comes',
  uncaught: 'the process died of an error that nobody caught before the run was done',
}

/** The process is ending, and nothing can stop it. Returns the exit code. */
function tellUnfinished(report: Report | undefined, cause: ExitCause, { json }: CommandLine): number {
  printError(`millrace: ${UNFINISHED[cause]}\n`)
  if (json && report !== undefined) printJson({ ...report, outcome: 'aborted', reason: UNFINISHED[cause] })
  return 1
}

/** The summary, the errors; the report last, and on a line of its own. Returns false if that could not be written. */
async function tell(report: Report, { quiet, json, verbose }: CommandLine): Promise<boolean> {
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
  return !json || printJson(report)
}
