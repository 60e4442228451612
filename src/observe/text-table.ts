/** Rows of cells as lines of text that fit a width: columns that matter least go first. Pure. */
import { styleText } from 'node:util'
import { fitText, textWidth } from './text-width.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A piece of a cell. */
export interface Span {
  text: string
  style?: Style | undefined
}

export type Cell = readonly Span[]

export interface Column {
  title: string
  align: 'left' | 'right'
  /** The column with the lowest number is left out first where room is short. The first column always stays. */
  rank: number
}

export interface Paper {
  /** Cells of the terminal in a line; lines are at most so wide. */
  columns: number
  hasColors: boolean
}

const MARGIN = '  '
const GAP = '  '

/** The titles, then a line for each row. A column without any text is left out. */
export function renderTable(columns: readonly Column[], rows: readonly Cell[][], paper: Paper): string[] {
  const widths = columns.map((column, index) => {
    const widest = Math.max(...rows.map((row) => cellWidth(row[index])))
    return widest === 0 && index > 0 ? 0 : Math.max(widest, textWidth(column.title))
  })
  const shown = chooseColumns(columns, widths, paper.columns)
  widths[0] = Math.min(widths[0], Math.max(1, paper.columns - lineWidth(shown, widths) + widths[0]))
  const titles = columns.map(({ title }): Cell => [{ text: title, style: 'dim' }])
  return [titles, ...rows].map((row) => {
    const cells = shown.map((index) => padCell(row[index], widths[index], columns[index].align, paper))
    return `${MARGIN}${cells.join(GAP)}`.trimEnd()
  })
}

/** A styled text; plain where there are no colours. */
export function paint(text: string, style: Style | undefined, hasColors: boolean): string {
  if (!hasColors || style === undefined || text === '') return text
  // Later Nodes look at stdout unless told not to; whether there are colours was decided for the stream at hand.
  return (styleText as (format: Style, text: string, options: object) => string)(style, text, {
    validateStream: false,
  })
}

function chooseColumns(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  let shown = widths.flatMap((columnWidth, index) => (columnWidth > 0 ? [index] : []))
  while (shown.length > 1 && lineWidth(shown, widths) > width) {
    const others = shown.slice(1)
    const least = Math.min(...others.map((index) => columns[index].rank))
    shown = shown.filter((index, place) => place === 0 || columns[index].rank !== least)
  }
  return shown
}

function lineWidth(shown: readonly number[], widths: readonly number[]): number {
  const cells = shown.reduce((sum, index) => sum + widths[index], 0)
  return MARGIN.length + cells + GAP.length * (shown.length - 1)
}

function cellWidth(cell: Cell): number {
  return cell.reduce((sum, span) => sum + textWidth(span.text), 0)
}

function padCell(cell: Cell, width: number, align: 'left' | 'right', paper: Paper): string {
  let left = width
  let text = ''
  for (const span of cell) {
    const fit = fitText(span.text, left)
    left -= textWidth(fit)
    text += paint(fit, span.style, paper.hasColors)
  }
  const padding = ' '.repeat(Math.max(0, left))
  return align === 'left' ? text + padding : padding + text
}
