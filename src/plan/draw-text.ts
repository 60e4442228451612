/** The plan as text: a line for each stage, and below it an arrow for each queue out of it. */
import { describeQueue, describeStage, labelOf } from './describe.ts'
import type { Plan } from './plan.ts'

interface Row {
  /** Name of a stage, or an arrow. */
  what: string
  kind: string
  details: string
}

const GAP = '  '

/** @param print makes a name, or a note, fit to be printed */
export function drawText(plan: Plan, print: (text: string) => string): string {
  const groups = plan.stages.map((stage): Row[] => {
    const queues = plan.queues.filter(({ from }) => from === stage.name)
    const labels = queues.map((queue) => print(labelOf(queue) ?? ''))
    const width = Math.max(...labels.map(widthOf))
    const arrows = queues.map((queue, index): Row => {
      const corner = index === queues.length - 1 ? '└' : '├'
      const line = queue.kind === 'dead-letters' ? '╌' : '─'
      const arrow = `  ${corner}${line}${drawLabel(labels[index], width, line)}> ${print(queue.to)}`
      return { what: arrow, kind: '', details: describeQueue(queue) }
    })
    const kind = stage.split === undefined ? stage.kind : `${stage.kind}, ${stage.split}`
    return [{ what: print(stage.name), kind, details: describeStage(stage, print) }, ...arrows]
  })
  const notes = plan.notes.map((note) => `  ${print(note)}`)
  return [
    `pipeline ${print(plan.pipeline)}`,
    '',
    ...drawRows(groups.flat()),
    ...(notes.length === 0 ? [] : ['', 'notes', ...notes]),
    '',
  ].join('\n')
}

/** `─ small ──`: as long as the longest of the stage's. */
function drawLabel(label: string, width: number, line: string): string {
  if (width === 0) return line
  if (label === '') return line.repeat(width + 3)
  return ` ${label} ${line.repeat(width - widthOf(label) + 1)}`
}

/** Kinds stand in one column, details in another; an arrow may reach into the column of the kinds. */
function drawRows(rows: readonly Row[]): string[] {
  const stages = rows.filter(({ kind }) => kind !== '')
  const whatWidth = Math.max(...stages.map(({ what }) => widthOf(what)))
  const heads = rows.map(({ what, kind }) => (kind === '' ? what : `${pad(what, whatWidth)}${GAP}${kind}`))
  const headWidth = Math.max(...heads.map(widthOf))
  return rows.map(({ details }, index) => `${pad(heads[index], headWidth)}${GAP}${details}`)
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

function widthOf(text: string): number {
  return [...text].length
}
