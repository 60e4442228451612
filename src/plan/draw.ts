/** The plan as a picture: Mermaid, DOT or plain text. */
import { describeQueue, describeStage, labelOf } from './describe.ts'
import { drawText } from './draw-text.ts'
import type { Plan, PlannedQueue, PlannedStage } from './plan.ts'

export const GRAPH_FORMATS = ['text', 'mermaid', 'dot'] as const
export type GraphFormat = (typeof GRAPH_FORMATS)[number]

/** @param print makes a name, or a note, fit to be printed: one line */
export function drawPlan(
  plan: Plan,
  format: GraphFormat,
  print: (text: string) => string = (text) => text,
): string {
  if (format === 'mermaid') return drawMermaid(plan, print)
  return format === 'dot' ? drawDot(plan, print) : drawText(plan, print)
}

type Print = (text: string) => string

function drawMermaid(plan: Plan, print: Print): string {
  const lines = ['flowchart LR']
  for (const [index, stage] of plan.stages.entries()) {
    const details = `${kindOf(stage)}, ${describeStage(stage, print)}`
    lines.push(`  s${index}["${escapeHtml(print(stage.name))}<br/><small>${escapeHtml(details)}</small>"]`)
  }
  for (const queue of plan.queues) {
    const { from, to } = endsOf(plan, queue)
    const label = queueLines(queue, print).map(escapeHtml).join('<br/>')
    const [begin, end] = queue.kind === 'dead-letters' ? ['-.', '.->'] : ['--', '-->']
    lines.push(`  ${from} ${begin} "${label}" ${end} ${to}`)
  }
  const notes = plan.notes.map((note) => `  %% ${print(note)}`)
  return `${[...lines, ...notes].join('\n')}\n`
}

function drawDot(plan: Plan, print: Print): string {
  const lines = [`digraph ${quote(print(plan.pipeline))} {`, '  rankdir=LR', '  node [shape=box]']
  for (const [index, stage] of plan.stages.entries()) {
    lines.push(
      `  s${index} [label=${quote(`${print(stage.name)}\n${kindOf(stage)}, ${describeStage(stage, print)}`)}]`,
    )
  }
  for (const queue of plan.queues) {
    const { from, to } = endsOf(plan, queue)
    const style = queue.kind === 'dead-letters' ? ', style=dashed' : ''
    lines.push(`  ${from} -> ${to} [label=${quote(queueLines(queue, print).join('\n'))}${style}]`)
  }
  const notes = plan.notes.map((note) => `  // ${print(note)}`)
  return `${[...lines, ...notes, '}'].join('\n')}\n`
}

function kindOf({ kind, split }: PlannedStage): string {
  return split === undefined ? kind : `${kind}, ${split}`
}

function queueLines(queue: PlannedQueue, print: Print): string[] {
  const label = labelOf(queue)
  return label === undefined ? [describeQueue(queue)] : [print(label), describeQueue(queue)]
}

function endsOf({ stages }: Plan, queue: PlannedQueue): { from: string; to: string } {
  const id = (name: string): string => `s${stages.findIndex((stage) => stage.name === name)}`
  return { from: id(queue.from), to: id(queue.to) }
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
