/** The summary of a stress test, as lines of text and as data. Pure. */
import { renderDiagnosis } from '../../observe/diagnosis.ts'
import { formatCount } from '../../observe/format-number.ts'
import { printableText } from '../../observe/printable.ts'
import { FAULT_KINDS } from './fault-kinds.ts'
import type { StressOptions } from './stress-options.ts'
import type { Breach, StressTally, WorstEnd } from './stress-tally.ts'

export interface StressSummary {
  schema: 'millrace.stress/1'
  seed: number
  seconds: number
  faults: Record<string, number>
  runs: number
  outcomes: Record<string, number>
  /** Items that sources read. */
  items: number
  /** From what ended a run to its end, by what it was, in milliseconds. */
  timeToEnd: Record<string, { runs: number; p50Ms: number; p99Ms: number; worstMs: number }>
  worstEnd: WorstEnd | null
  isNothingLost: boolean
  breaches: Breach[]
}

export function summarise(tally: StressTally, { seed }: StressOptions, elapsedMs: number): StressSummary {
  const { runs, items, outcomes, faults, ends, worst, breaches } = tally
  return {
    schema: 'millrace.stress/1',
    seed,
    seconds: Math.round(elapsedMs / 1_000),
    faults,
    runs,
    outcomes,
    items,
    timeToEnd: Object.fromEntries(Object.entries(ends).map(([cause, times]) => [cause, timesOf(times)])),
    worstEnd: worst ?? null,
    isNothingLost: breaches.length === 0,
    breaches,
  }
}

function timesOf(times: readonly number[]): StressSummary['timeToEnd'][string] {
  const sorted = [...times].sort((one, other) => one - other)
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))])
  return { runs: times.length, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) }
}

export function renderStress(summary: StressSummary, faults: StressOptions['faults']): string {
  const { seed, seconds, runs, outcomes, items, worstEnd, breaches } = summary
  const counts = (record: Record<string, number>): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${formatCount(count)}`)
      .join(', ')
  const asked = Object.fromEntries(
    FAULT_KINDS.filter((kind) => faults.includes(kind)).map((kind) => [kind, summary.faults[kind]]),
  )
  const lines = [
    `stress: ${seconds} s, seed ${seed}`,
    `  runs               ${formatCount(runs)} (${counts(outcomes)})`,
    `  items              ${formatCount(items)}`,
    `  faults             ${counts(asked) || 'none'}`,
    `  worst time to end  ${worstEnd === null ? 'no run was ended early' : `${round(worstEnd.ms)} ms, after ${worstEnd.cause} (seed ${worstEnd.seed})`}`,
    `  nothing lost       ${breaches.length === 0 ? 'yes' : 'no'}`,
    ...breaches.flatMap((breach) => renderBreach(breach, faults)),
  ]
  return printableText(`${lines.join('\n')}\n`)
}

function renderBreach({ seed, what, diagnosis }: Breach, faults: StressOptions['faults']): string[] {
  const lines = ['', ...what]
  if (diagnosis !== undefined && !what[0].includes('\n')) lines.push(renderDiagnosis(diagnosis))
  if (seed !== undefined) {
    lines.push(`Again: millrace stress --seed ${seed} --seconds 0 --faults ${faults.join(',') || 'none'}`)
  }
  return lines
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
