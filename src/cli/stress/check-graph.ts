/** Compares what came of a run of a random graph with what must have. Pure but for the log that it reads. */
import type { Diagnosis } from '../../observe/diagnosis.ts'
import type { Report } from '../../observe/report.ts'
import { deadLettersOf } from './build-graph.ts'
import { checkReport } from './check-report.ts'
import { checkSink, type SinkNotes } from './check-sink.ts'
import type { GraphLog } from './graph-log.ts'
import { expectRun, isExact, stagesOf } from './graph-oracle.ts'
import type { RunSpec, StageSpec } from './graph-spec.ts'

export interface EndedRun {
  spec: RunSpec
  report: Report
  /** How it stood when it had ended. */
  diagnosis: Diagnosis
  log: GraphLog
  /** Ids of threads that died in it. */
  dead: ReadonlySet<number>
  /** How it was stopped, if it was. */
  stopped: 'drain' | 'abort' | undefined
}

/** Sentences that say what is wrong; none: all is as it must be. */
export function checkGraph(run: EndedRun): string[] {
  const { spec, report, dead } = run
  const found = [...checkReport(report, dead.size > 0 || hasBeenEnded(run)), ...checkOutcome(run)]
  const expected = expectRun(spec)
  const whole = isExact(spec) && report.outcome === 'completed'
  for (const sink of stagesOf(spec).filter(({ kind }) => kind === 'sink')) {
    found.push(...checkSink(notesOf(run, sink), expected.sinks[sink.name], whole))
  }
  if (whole) found.push(...checkStages(run), ...checkEnds(run))
  return found
}

/** Whether an abort had to end a worker the hard way: one in the endless loop that was asked for. */
function hasBeenEnded({ diagnosis }: EndedRun): boolean {
  return diagnosis.stages.some(({ workers }) => workers.some(({ state }) => state === 'died'))
}

function notesOf({ log, dead }: EndedRun, { name, concurrency, batch }: StageSpec): SinkNotes {
  return { name, notes: log.notes(name), dead, mostInHand: concurrency * (batch?.size ?? 1) }
}

function checkOutcome({ spec, report, log, stopped }: EndedRun): string[] {
  const isStruck = log.endedMs !== undefined
  const may = new Set<Report['outcome']>()
  // What was to fail may fail before the stop comes, or after it.
  if (isStruck) may.add('failed')
  if (stopped === 'drain') may.add('drained')
  if (stopped === 'abort') may.add('aborted')
  if (may.size === 0 || stopped !== undefined) may.add('completed')
  const found = may.has(report.outcome)
    ? []
    : [
        `it ${report.outcome}, and may have ${[...may].join(' or ')}: ${JSON.stringify(report.failures.slice(0, 3))}`,
      ]
  if (report.outcome !== 'failed' || !isStruck) return found
  const struck = stagesOf(spec).find(({ fault }) => fault?.how === 'throw')
  const [first] = report.failures
  if (first?.stage !== struck?.name)
    found.push(`its first failure names "${first?.stage}", not "${struck?.name}"`)
  return found
}

function checkStages({ spec, report, log }: EndedRun): string[] {
  const expected = expectRun(spec)
  const found: string[] = []
  const compare = (what: string, got: number | undefined, must: number): void => {
    if (got !== must) found.push(`${what}: ${got}, and must be ${must}`)
  }
  for (const [name, { in: taken, failed, dropped }] of Object.entries(expected.stages)) {
    const stage = report.stages.find((candidate) => candidate.name === name)
    compare(`items into "${name}"`, stage?.in, taken)
    compare(`items that failed in "${name}"`, stage?.failed, failed)
    if (dropped !== undefined) compare(`items dropped by "${name}"`, stage?.dropped, dropped)
    compare(`items abandoned by "${name}"`, stage?.abandoned, 0)
  }
  for (const [stage, ids] of Object.entries(expected.deadLetters)) {
    if (!isSame(log.ids(deadLettersOf(stage)), ids))
      found.push(`the dead letters of "${stage}" are not those expected`)
  }
  return found
}

/** SENTINEL has left each worker once, and reached each: every end was left in order. */
function checkEnds({ diagnosis }: EndedRun): string[] {
  return diagnosis.queues.flatMap(({ from, to, producers, consumers }) => {
    const isOver = [...producers, ...consumers].every((state) => state === 'done' || state === 'parked')
    return isOver ? [] : [`queue "${from}" -> "${to}" was not left in order: ${producers} -> ${consumers}`]
  })
}

function isSame(got: readonly number[], expected: readonly number[]): boolean {
  const [one, other] = [got, expected].map((ids) => [...ids].sort((a, b) => a - b))
  return one.length === other.length && one.every((id, index) => id === other[index])
}
