/** What must hold of a blueprint before any thread starts: one function and one error code a rule. */
import type { Feed, StageDefinition } from '../define/stage-definition.ts'
import { isStreamBody } from '../define/stream-body.ts'
import { MillraceError, show } from '../errors.ts'
import { sendsDeadLetters } from './close-ends.ts'

export type Rule = (stages: readonly StageDefinition[], pipeline: string) => void

/** A record has 8 bits for its source. */
const MOST_SOURCES = 256

const stagesHaveNames: Rule = (stages, pipeline) => {
  for (const [index, { name }] of stages.entries()) {
    if (typeof name === 'string' && name.length > 0 && name.length <= 100) continue
    throw new MillraceError(
      'MILLRACE_INVALID_STAGE',
      `pipeline "${pipeline}": the name of stage ${index + 1} must be a string of 1 to 100 characters, got ${show(name)}`,
    )
  }
}

const onlyOneIsFedByTheCaller: Rule = (stages, pipeline) => {
  if (stages.filter(({ builtin }) => builtin === 'input').length <= 1) return
  throw new MillraceError(
    'MILLRACE_INVALID_MERGE',
    `pipeline "${pipeline}": of the pipelines that are merged, only one can be fed by the caller`,
  )
}

const outputsAreReadOnce: Rule = (stages, pipeline) => {
  const readers = new Map<string, string>()
  for (const { name, from } of stages) {
    for (const feed of from) {
      const key = JSON.stringify([feed.stage, feed.branch])
      const other = readers.get(key)
      if (other !== undefined) {
        throw new MillraceError(
          'MILLRACE_INVALID_MERGE',
          `pipeline "${pipeline}": both "${other}" and "${name}" read ${describeFeed(feed, stages)}; use .broadcast() to give everything to both`,
          { stage: name },
        )
      }
      readers.set(key, name)
    }
  }
}

const stageNamesDiffer: Rule = (stages, pipeline) => {
  const seen = new Set<string>()
  for (const { name } of stages) {
    if (seen.has(name)) {
      throw new MillraceError(
        'MILLRACE_DUPLICATE_STAGE',
        `pipeline "${pipeline}": two stages are named "${name}"`,
        { stage: name },
      )
    }
    seen.add(name)
  }
}

const sourcesAreFirst: Rule = (stages, pipeline) => {
  const misplaced = stages.find(({ kind, from }) => kind === 'source' && from.length > 0)
  if (misplaced === undefined) return
  throw new MillraceError(
    'MILLRACE_MISPLACED_STAGE',
    `pipeline "${pipeline}": source "${misplaced.name}" must be its first stage; pipelines of several sources are joined with .merge()`,
    { stage: misplaced.name },
  )
}

const everyPathHasASource: Rule = (stages, pipeline) => {
  const isUnfed = ({ kind, from, takesDeadLetters }: StageDefinition): boolean =>
    kind !== 'source' && from.length === 0 && takesDeadLetters !== true
  const unfed = stages.find(isUnfed)
  if (stages.length > 0 && unfed === undefined) return
  const isOneOfSeveral = unfed !== undefined && stages.some(({ kind }) => kind === 'source')
  throw new MillraceError(
    'MILLRACE_NO_SOURCE',
    isOneOfSeveral
      ? `pipeline "${pipeline}": nothing feeds stage "${unfed.name}"`
      : `pipeline "${pipeline}" has no source`,
    isOneOfSeveral ? { stage: unfed.name } : {},
  )
}

const sinksAreLast: Rule = (stages, pipeline) => {
  const sinks = new Set(stages.filter(({ kind }) => kind === 'sink').map(({ name }) => name))
  for (const { kind, name, from } of stages) {
    const sink = from.find(({ stage }) => sinks.has(stage))
    if (sink === undefined) continue
    throw new MillraceError(
      'MILLRACE_MISPLACED_STAGE',
      `pipeline "${pipeline}": sink "${sink.stage}" must be its last stage, and ${kind} "${name}" follows it`,
      { stage: sink.stage },
    )
  }
}

const nothingIsDoneAfterASink: Rule = (stages, pipeline) => {
  const sink = stages.find(
    ({ kind, operators, split }) => kind === 'sink' && (operators.length > 0 || split !== undefined),
  )
  if (sink === undefined) return
  throw new MillraceError(
    'MILLRACE_MISPLACED_STAGE',
    `pipeline "${pipeline}": ${sink.split ?? sink.operators[0].kind} cannot follow sink "${sink.name}"`,
    { stage: sink.name },
  )
}

const everyOutputIsRead: Rule = (stages, pipeline) => {
  const isRead = (output: Feed): boolean =>
    stages.some(({ from }) =>
      from.some(({ stage, branch }) => stage === output.stage && branch === output.branch),
    )
  const outputs = stages.flatMap(({ kind, name, branches }): Feed[] => {
    if (kind === 'sink') return []
    return branches === undefined ? [{ stage: name }] : branches.map((branch) => ({ stage: name, branch }))
  })
  const unread = outputs.find((output) => !isRead(output))
  if (unread === undefined) return
  const hasSink = stages.some(({ kind, takesDeadLetters }) => kind === 'sink' && takesDeadLetters !== true)
  throw new MillraceError(
    'MILLRACE_NO_SINK',
    hasSink || unread.branch !== undefined
      ? `pipeline "${pipeline}" has no sink for ${describeFeed(unread, stages)}`
      : `pipeline "${pipeline}" has no sink`,
    { stage: unread.stage },
  )
}

const bodiesCanRun: Rule = (stages) => {
  for (const { kind, name, body, builtin } of stages) {
    if (builtin !== undefined) continue
    const isFit = kind === 'source' ? isSource(body) : isStage(name, body)
    if (isFit) continue
    const expected =
      kind === 'source'
        ? 'an iterable, an async iterable, or a function that returns one'
        : 'a function, or an object with a process function'
    throw new MillraceError(
      'MILLRACE_INVALID_STAGE',
      `${kind} "${name}" must be ${expected}, got ${show(body)}`,
      { stage: name },
    )
  }
}

const sourcesCanBeCounted: Rule = (stages, pipeline) => {
  const sources = stages.filter(({ kind }) => kind === 'source').length
  if (sources <= MOST_SOURCES) return
  throw new MillraceError(
    'MILLRACE_TOO_MANY_SOURCES',
    `pipeline "${pipeline}" has ${sources} sources; it can have ${MOST_SOURCES}`,
  )
}

const deadLettersHaveAPlace: Rule = (stages) => {
  const sender = stages.find(sendsDeadLetters)
  if (sender === undefined || stages.some(({ takesDeadLetters }) => takesDeadLetters)) return
  throw new MillraceError(
    'MILLRACE_NO_DEAD_LETTERS',
    `stage "${sender.name}" sends items that fail to the dead letters, and the pipeline does not say where they go`,
    { stage: sender.name, option: 'onError' },
  )
}

/** An item that such a stage has taken is done, as far as anyone can tell, and may still be lost with it. */
const checkpointsKnowWhatIsDone: Rule = (stages) => {
  const before = new Map<string, string | undefined>()
  // In topological order, but for the sink of the dead letters.
  for (const { name, kind, body, options, from } of stages) {
    const source = from.map(({ stage }) => before.get(stage)).find((found) => found !== undefined)
    before.set(name, kind === 'source' && options?.checkpoint !== undefined ? name : source)
    if (source === undefined || !isStreamBody(body)) continue
    throw new MillraceError(
      'MILLRACE_INVALID_OPTION',
      `stage "${source}": checkpoint cannot be kept, because stage "${name}" gives its outputs of its own accord: what it has in hand cannot be told apart; a command can do with mapping: "one-to-one"`,
      { stage: source, option: 'checkpoint' },
    )
  }
}

export const RULES: readonly Rule[] = [
  stagesHaveNames,
  onlyOneIsFedByTheCaller,
  stageNamesDiffer,
  outputsAreReadOnce,
  sourcesAreFirst,
  everyPathHasASource,
  nothingIsDoneAfterASink,
  sinksAreLast,
  everyOutputIsRead,
  bodiesCanRun,
  sourcesCanBeCounted,
  deadLettersHaveAPlace,
  checkpointsKnowWhatIsDone,
]

const PARTS = ['open', 'process', 'flush', 'close']

function describeFeed({ stage, branch }: Feed, stages: readonly StageDefinition[]): string {
  if (branch !== undefined) return `branch "${branch}" of stage "${stage}"`
  const isInput = stages.some(({ name, builtin }) => name === stage && builtin === 'input')
  return isInput ? "the caller's input" : `the outputs of stage "${stage}"`
}

function isSource(body: unknown): boolean {
  if (typeof body === 'function') return true
  if (typeof body !== 'object' || body === null) return false
  if (Symbol.iterator in body || Symbol.asyncIterator in body) return true
  return typeof (body as { items?: unknown }).items === 'function'
}

function isStage(name: string, body: unknown): boolean {
  return typeof body === 'function' || isStreamBody(body) || isStageObject(name, body)
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
