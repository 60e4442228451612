/** The live view of a run as lines of text: one line per stage. Pure: from numbers to text. */
import { formatCount, formatPercent, formatRate, formatTime } from './format-number.ts'
import { printableLine } from './printable.ts'
import { type Cell, type Column, type Paper, paint, renderTable, type Style } from './text-table.ts'
import { fitText } from './text-width.ts'

export interface StageProgress {
  name: string
  state: string
  /** How many it has. Default 1. */
  workers?: number
  /** Items that failed while it went on, that overflow cost, and how often workers were started again. Default 0. */
  failed?: number
  dropped?: number
  restarts?: number
  /** Items it has done with; of a source, items it has put into the next queue. */
  items: number
  itemsPerSecond: number
  /** Part of its time, from 0 to 1, that it spent neither waiting for items nor for room. */
  busyShare: number
  /** The queue before it, or all of them together; a source has none. */
  queue?: { level: number; capacity: number }
}

export interface Progress {
  pipeline: string
  state: string
  elapsedMs: number
  stages: readonly StageProgress[]
}

export interface Screen extends Paper {
  /** Lines there is room for. */
  rows: number
}

const BAR_CELLS = 12
const STYLES: Readonly<Record<string, Style>> = {
  running: 'green',
  paused: 'yellow',
  draining: 'yellow',
  aborting: 'red',
  failed: 'red',
  died: 'red',
}
const COLUMNS: readonly Column[] = [
  { title: 'stage', align: 'left', rank: 9 },
  { title: 'state', align: 'left', rank: 2 },
  { title: 'items', align: 'right', rank: 8 },
  { title: 'per s', align: 'right', rank: 6 },
  { title: 'queue', align: 'left', rank: 1 },
  { title: '', align: 'right', rank: 4 },
  { title: 'busy', align: 'right', rank: 5 },
  { title: '', align: 'left', rank: 3 },
]

/** The lines, none wider than the screen and not more than it has. */
export function renderProgress(progress: Progress, screen: Screen): string[] {
  const { stages } = progress
  const busiest = Math.max(...stages.map((stage) => stage.busyShare))
  const rows = stages.map((stage) => stageCells(stage, stage.busyShare === busiest && busiest >= 0.5))
  const lines = [headLine(progress, screen), ...renderTable(COLUMNS, rows, screen)]
  if (lines.length <= screen.rows) return lines
  const kept = Math.max(1, screen.rows - 1)
  const more = fitText(`  … ${lines.length - kept} more`, screen.columns)
  return [...lines.slice(0, kept), paint(more, 'dim', screen.hasColors)].slice(0, Math.max(1, screen.rows))
}

function headLine({ pipeline, state, elapsedMs }: Progress, screen: Screen): string {
  const time = formatTime(elapsedMs)
  const room = screen.columns - state.length - time.length - 4
  if (room < 1) return fitText(printableLine(pipeline), screen.columns)
  const name = fitText(printableLine(pipeline), room)
  const { hasColors } = screen
  return `${paint(name, 'bold', hasColors)}  ${paint(state, STYLES[state], hasColors)}  ${paint(time, 'dim', hasColors)}`
}

function stageCells(stage: StageProgress, isBusiest: boolean): Cell[] {
  const isOver = stage.state === 'done'
  const plain = isOver ? 'dim' : undefined
  return [
    nameCell(stage, isOver ? 'dim' : 'bold'),
    [{ text: stage.state, style: STYLES[stage.state] ?? 'dim' }],
    [{ text: formatCount(stage.items), style: plain }],
    [{ text: isOver ? '' : formatRate(stage.itemsPerSecond), style: plain }],
    queueBar(stage.queue),
    stage.queue === undefined ? [] : [{ text: queueLevel(stage.queue), style: 'dim' }],
    [
      {
        text: isOver ? '' : formatPercent(stage.busyShare),
        style: isBusiest ? 'yellow' : plain,
      },
    ],
    [{ text: remarksOn(stage), style: 'red' }],
  ]
}

/** `resize x4`. */
function nameCell({ name, workers = 1 }: StageProgress, style: Style): Cell {
  const text = printableLine(name)
  return workers === 1
    ? [{ text, style }]
    : [
        { text, style },
        { text: ` x${workers}`, style: 'dim' },
      ]
}

function remarksOn({ failed = 0, dropped = 0, restarts = 0 }: StageProgress): string {
  const remarks = [
    failed > 0 ? `${formatCount(failed)} failed` : '',
    dropped > 0 ? `${formatCount(dropped)} overflowed` : '',
    restarts > 0 ? `${formatCount(restarts)} ${restarts === 1 ? 'restart' : 'restarts'}` : '',
  ]
  return remarks.filter((remark) => remark !== '').join(', ')
}

/** `━━━━━━──────`. Anything in the queue shows, and it looks full only when it is. */
function queueBar(queue: StageProgress['queue']): Cell {
  if (queue === undefined) return []
  const fill = Math.min(1, queue.level / queue.capacity)
  const cells = fill === 1 ? BAR_CELLS : Math.min(BAR_CELLS - 1, Math.ceil(fill * BAR_CELLS))
  return [
    { text: '━'.repeat(cells), style: 'cyan' },
    { text: '─'.repeat(BAR_CELLS - cells), style: 'dim' },
  ]
}

function queueLevel({ level, capacity }: { level: number; capacity: number }): string {
  return `${formatCount(Math.min(level, capacity))}/${formatCount(capacity)}`
}
