/** What must hold of a blueprint before any thread starts: one function and one error code a rule. */
import type { StageDefinition } from '../define/pipeline.ts'
import { MillraceError, show } from '../errors.ts'

export type Rule = (stages: readonly StageDefinition[], pipeline: string) => void

const stagesHaveNames: Rule = (stages, pipeline) => {
  for (const [index, { name }] of stages.entries()) {
    if (typeof name === 'string' && name.length > 0 && name.length <= 100) continue
    throw new MillraceError(
      'MILLRACE_INVALID_STAGE',
      `pipeline "${pipeline}": the name of stage ${index + 1} must be a string of 1 to 100 characters, got ${show(name)}`,
    )
  }
}

const stageNamesDiffer: Rule = (stages, pipeline) => {
  const seen = new Set<string>()
  for (const { name } of stages) {
    if (seen.has(name)) {
      throw new MillraceError(
        'MILLRACE_DUPLICATE_STAGE',
        `pipeline "${pipeline}": two stages are named "${name}"`,
        {
          stage: name,
        },
      )
    }
    seen.add(name)
  }
}

const sourceIsFirst: Rule = (stages, pipeline) => {
  const misplaced = stages.find((stage, index) => stage.kind === 'source' && index > 0)
  if (misplaced !== undefined) {
    throw new MillraceError(
      'MILLRACE_MISPLACED_STAGE',
      `pipeline "${pipeline}": source "${misplaced.name}" must be its first stage, and its only source`,
      { stage: misplaced.name },
    )
  }
  if (stages[0]?.kind !== 'source') {
    throw new MillraceError('MILLRACE_NO_SOURCE', `pipeline "${pipeline}" has no source`)
  }
}

const sinkIsLast: Rule = (stages, pipeline) => {
  const misplaced = stages.find((stage, index) => stage.kind === 'sink' && index < stages.length - 1)
  if (misplaced !== undefined) {
    throw new MillraceError(
      'MILLRACE_MISPLACED_STAGE',
      `pipeline "${pipeline}": sink "${misplaced.name}" must be its last stage, and its only sink`,
      { stage: misplaced.name },
    )
  }
  if (stages.at(-1)?.kind !== 'sink') {
    throw new MillraceError('MILLRACE_NO_SINK', `pipeline "${pipeline}" has no sink`)
  }
}

const nothingFollowsTheSink: Rule = (stages, pipeline) => {
  const sink = stages.find((stage) => stage.kind === 'sink' && stage.operators.length > 0)
  if (sink === undefined) return
  throw new MillraceError(
    'MILLRACE_MISPLACED_STAGE',
    `pipeline "${pipeline}": ${sink.operators[0].kind} cannot follow sink "${sink.name}"`,
    { stage: sink.name },
  )
}

const bodiesCanRun: Rule = (stages) => {
  for (const { kind, name, body } of stages) {
    if (body === undefined && (kind === 'source' || kind === 'sink')) continue
    const isFit = kind === 'source' ? isSource(body) : typeof body === 'function' || isStageObject(name, body)
    if (isFit) continue
    const expected =
      kind === 'source'
        ? 'an iterable, an async iterable, or a function that returns one'
        : 'a function, or an object with a process function'
    throw new MillraceError(
      'MILLRACE_INVALID_STAGE',
      `${kind} "${name}" must be ${expected}, got ${show(body)}`,
      {
        stage: name,
      },
    )
  }
}

export const RULES: readonly Rule[] = [
  stagesHaveNames,
  stageNamesDiffer,
  sourceIsFirst,
  sinkIsLast,
  nothingFollowsTheSink,
  bodiesCanRun,
]

const PARTS = ['open', 'process', 'flush', 'close']

function isSource(body: unknown): boolean {
  if (typeof body === 'function') return true
  return (
    typeof body === 'object' && body !== null && (Symbol.iterator in body || Symbol.asyncIterator in body)
  )
}

function isStageObject(stage: string, body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false
  const parts = body as Record<string, unknown>
  for (const part of PARTS) {
    if (parts[part] === undefined || typeof parts[part] === 'function') continue
    throw new MillraceError(
      'MILLRACE_INVALID_STAGE',
      `stage "${stage}": ${part} must be a function, got ${show(parts[part])}`,
      { stage },
    )
  }
  return typeof parts.process === 'function'
}
