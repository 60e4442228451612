/** The final summary of a run as lines of text: outcome, one line per stage, bottleneck. Pure. */
import { formatCount, formatElapsed, formatPercent, formatRate } from './format-number.ts'
import { printableLine } from './printable.ts'
import type { Report, RunOutcome, StageReport } from './report.ts'
import { type Cell, type Column, type Paper, paint, renderTable, type Style } from './text-table.ts'
import { fitText } from './text-width.ts'

const STYLES: Readonly<Record<RunOutcome, Style>> = {
  completed: 'green',
  drained: 'yellow',
  aborted: 'red',
  failed: 'red',
}
const COLUMNS: readonly Column[] = [
  { title: 'stage', align: 'left', rank: 9 },
  { title: 'in', align: 'right', rank: 6 },
  { title: 'out', align: 'right', rank: 8 },
  { title: 'per s', align: 'right', rank: 2 },
  { title: 'busy', align: 'right', rank: 5 },
  { title: 'no item', align: 'right', rank: 3 },
  { title: 'no room', align: 'right', rank: 3 },
  { title: '', align: 'left', rank: 7 },
]
/** What is worth a word where there is any. */
const REMARKS = [
  ['dropped', 'dropped', 'dropped'],
  ['overflowed', 'overflowed', 'overflowed'],
  ['failed', 'failed', 'failed'],
  ['abandoned', 'abandoned', 'abandoned'],
  ['inDoubt', 'in doubt', 'in doubt'],
  ['retried', 'retried', 'retried'],
  ['restarts', 'restart', 'restarts'],
] as const

export function renderSummary(report: Report, paper: Paper): string[] {
  const { pipeline, outcome, elapsedMs, bottleneck, reason } = report
  const head = fitText(printableLine(pipeline), Math.max(10, paper.columns - 40))
  const why = reason === undefined ? '' : ` (${printableLine(reason)})`
  const lines = [
    `${paint(head, 'bold', paper.hasColors)} ${paint(outcome, STYLES[outcome], paper.hasColors)} in ${formatElapsed(elapsedMs)}${why}`,
    ...renderTable(
      COLUMNS,
      report.stages.map((stage) => stageCells(stage, elapsedMs)),
      paper,
    ),
  ]
  if (bottleneck !== null) lines.push(`  bottleneck: ${printableLine(bottleneck.stage)}, ${bottleneck.why}`)
  for (const { stage, why } of report.advice)
    lines.push(`  advice: ${printableLine(stage)}, ${printableLine(why)}`)
  return lines
}

function stageCells(stage: StageReport, elapsedMs: number): Cell[] {
  const lifeMs = stage.busyMs + stage.starvedMs + stage.blockedMs
  const share = (ms: number): Cell => [{ text: lifeMs > 0 ? formatPercent(ms / lifeMs) : '' }]
  const remarks = REMARKS.flatMap(([field, one, more]) =>
    stage[field] > 0 ? [`${formatCount(stage[field])} ${stage[field] === 1 ? one : more}`] : [],
  )
  return [
    nameCell(stage),
    [{ text: stage.in === undefined ? '' : formatCount(stage.in) }],
    [{ text: formatCount(stage.out) }],
    [{ text: elapsedMs > 0 ? formatRate((1000 * stage.out) / elapsedMs) : '' }],
    share(stage.busyMs),
    share(stage.starvedMs),
    share(stage.blockedMs),
    [{ text: remarks.join(', '), style: stage.failed + stage.inDoubt > 0 ? 'red' : 'yellow' }],
  ]
}

/** `resize x4`. */
function nameCell({ name, workers }: StageReport): Cell {
  const bold = { text: printableLine(name), style: 'bold' } as const
  return workers === 1 ? [bold] : [bold, { text: ` x${workers}`, style: 'dim' }]
}
