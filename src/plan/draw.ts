/** The plan as a picture: Mermaid, DOT or plain text. */
import type { Plan, PlannedQueue, PlannedStage } from './plan.ts'

export const GRAPH_FORMATS = ['text', 'mermaid', 'dot'] as const
export type GraphFormat = (typeof GRAPH_FORMATS)[number]

export function drawPlan(plan: Plan, format: GraphFormat): string {
  if (format === 'mermaid') return drawMermaid(plan)
  return format === 'dot' ? drawDot(plan) : drawText(plan)
}

function drawText(plan: Plan): string {
  const lines = [`pipeline ${plan.pipeline}`]
  for (const [index, stage] of plan.stages.entries()) {
    lines.push(`  ${stage.name}  (${describe(stage)})`)
    const queue = plan.queues[index]
    if (queue !== undefined) lines.push(`    |  ${describeQueue(queue)}`, '    v')
  }
  return `${lines.join('\n')}\n`
}

function drawMermaid(plan: Plan): string {
  const lines = ['flowchart LR']
  for (const [index, stage] of plan.stages.entries()) {
    lines.push(`  s${index}["${escapeMermaid(stage.name)}<br/><small>${describe(stage)}</small>"]`)
  }
  for (const [index, queue] of plan.queues.entries()) {
    lines.push(`  s${index} -- "${describeQueue(queue)}" --> s${index + 1}`)
  }
  return `${lines.join('\n')}\n`
}

function drawDot(plan: Plan): string {
  const lines = [`digraph ${quote(plan.pipeline)} {`, '  rankdir=LR', '  node [shape=box]']
  for (const [index, stage] of plan.stages.entries()) {
    lines.push(`  s${index} [label=${quote(`${stage.name}\n${describe(stage)}`)}]`)
  }
  for (const [index, queue] of plan.queues.entries()) {
    lines.push(`  s${index} -> s${index + 1} [label=${quote(describeQueue(queue))}]`)
  }
  return `${[...lines, '}'].join('\n')}\n`
}

function describe(stage: PlannedStage): string {
  const workers = stage.workers === 1 ? '1 worker' : `${stage.workers} workers`
  const fused = stage.operators.length === 0 ? '' : `, with ${stage.operators.join(', ')}`
  return `${stage.kind}, on ${stage.host}, ${workers}${fused}`
}

function describeQueue(queue: PlannedQueue): string {
  return `${queue.capacity} items, ${queue.capacityBytes / 2 ** 20} MiB`
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function escapeMermaid(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
