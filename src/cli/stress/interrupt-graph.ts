/** One random graph run by a command line of its own, which gets Ctrl-C once or twice at a random moment. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ownFile } from '../../host/own-files.ts'
import type { Report } from '../../observe/report.ts'
import { checkReport } from './check-report.ts'
import { checkSink } from './check-sink.ts'
import { drawGraph } from './draw-graph.ts'
import { expectRun, stagesOf } from './graph-oracle.ts'
import type { Random } from './random.ts'
import type { GraphEnd } from './run-graph.ts'

const DEADLINE_MS = 120_000
/** A terminal sends it to the whole group: the child is to get ours alone. */
const OWN_GROUP = process.platform !== 'win32'

interface ChildEnd {
  code: number | null
  signal: NodeJS.Signals | null
  lines: string[]
  stderr: string
  /** Signals that were sent while it ran. */
  signals: number
  /** From the last signal to its exit. */
  endMs: number
}

export async function interruptGraph(seed: number, random: Random): Promise<GraphEnd> {
  const end = await runChild(seed, random.from(1, 400), random.oneIn(3))
  const { breaches, report } = checkChild(seed, end)
  const wasHit = end.signals > 0 && end.code !== 0
  return {
    outcome: report?.outcome ?? 'not ended',
    items: (report?.stages ?? []).reduce((sum, stage) => sum + (stage.in === undefined ? stage.done : 0), 0),
    faults: { sigint: end.signals },
    end: wasHit ? { cause: end.signals > 1 ? 'sigint x 2' : 'sigint', ms: end.endMs } : undefined,
    breaches,
    diagnosis: undefined,
  }
}

/** @param after lines that it has printed when the signal comes */
async function runChild(seed: number, after: number, isTwice: boolean): Promise<ChildEnd> {
  const [main, module] = [ownFile('../cli/main'), ownFile('../cli/stress/printed-graph-module')].map((url) =>
    fileURLToPath(url),
  )
  const args = [
    ...process.execArgv,
    main,
    'run',
    module,
    '--seed',
    `${seed}`,
    '--json',
    '--quiet',
    '--deadline-ms',
    `${DEADLINE_MS}`,
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: OWN_GROUP })
  const forget = killWithUs(child)
  const closed = once(child, 'close')
  const errors = text(child.stderr)
  const deadline = setTimeout(
    () => child.kill('SIGQUIT') && setTimeout(() => child.kill('SIGKILL'), 2_000),
    DEADLINE_MS,
  )
  let [stdout, seen, signals, sentMs] = ['', 0, 0, 0]
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    seen += chunk.split('\n').length - 1
    while (seen >= after && signals < (isTwice ? 2 : 1) && child.kill('SIGINT')) {
      signals++
      sentMs = performance.now()
    }
  })
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null]
  const endMs = performance.now() - sentMs
  clearTimeout(deadline)
  forget()
  return { code, signal, lines: stdout.trimEnd().split('\n'), stderr: await errors, signals, endMs }
}

function killWithUs(child: ChildProcess): () => void {
  const kill = (): void => void child.kill('SIGKILL')
  process.on('exit', kill)
  return () => process.off('exit', kill)
}

function checkChild(seed: number, end: ChildEnd): { breaches: string[]; report: Report | undefined } {
  const { code, signal, lines, stderr, signals } = end
  // It came after the run had ended, when it does what it does by default.
  const isLate = signal === 'SIGINT' && signals > 0
  const report = readReport(lines.at(-1))
  if (report === undefined) {
    const how = `exit code ${code}, signal ${signal}`
    return { report, breaches: isLate ? [] : [`the command line ended without a report: ${how}\n${stderr}`] }
  }
  const found = checkReport(report, false)
  const expectedCode = report.outcome === 'completed' ? 0 : 130
  const isAsSaid = isLate || code === expectedCode || (code === 130 && signals > 0)
  if (!isAsSaid)
    found.push(`exit code ${code}, of a run that ${report.outcome} after ${signals} signals\n${stderr}`)
  const may = signals > 1 ? ['completed', 'drained', 'aborted'] : ['completed', 'drained']
  if (!may.includes(report.outcome)) found.push(`it ${report.outcome} after ${signals} signals\n${stderr}`)
  found.push(...checkDrained(report), ...checkPrinted(seed, lines, report))
  return { report, breaches: found }
}

/** What was read is finished. */
function checkDrained({ outcome, stages }: Report): string[] {
  const left = stages.filter((stage) => stage.in !== undefined && stage.abandoned > 0)
  if (outcome !== 'drained') return []
  return left.map(({ name, abandoned }) => `it drained, and stage "${name}" left ${abandoned} items`)
}

/** Whatever its sinks say they have done has been printed, once. */
function checkPrinted(seed: number, lines: readonly string[], report: Report): string[] {
  const spec = drawGraph(seed, 'sigint')
  const expected = expectRun(spec)
  const printed = new Map<string, number[]>()
  for (const line of lines) {
    if (!line.startsWith('[')) continue
    const [place, id] = JSON.parse(line) as [string, number]
    const ids = printed.get(place) ?? []
    ids.push(id)
    printed.set(place, ids)
  }
  const sinks = stagesOf(spec).filter(({ kind }) => kind === 'sink')
  return sinks.flatMap(({ name }) => {
    const ids = printed.get(name) ?? []
    const done = report.stages.find((stage) => stage.name === name)?.done
    const notes = ids.map((id) => ({ id, threadId: 0 }))
    const sink = { name, notes, dead: new Set<number>(), mostInHand: 0 }
    const found = checkSink(sink, expected.sinks[name], report.outcome === 'completed')
    return done === ids.length
      ? found
      : [...found, `sink "${name}" counts ${done} items and has printed ${ids.length}`]
  })
}

function readReport(line: string | undefined): Report | undefined {
  try {
    const value = JSON.parse(line ?? '') as Report
    return value.schema === 'millrace.report/1' ? value : undefined
  } catch {
    return undefined
  }
}
