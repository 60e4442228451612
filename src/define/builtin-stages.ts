/** Stages that Millrace adds. */
import type { BatchOptions } from './batch-options.ts'
import type { Feed, StageDefinition } from './stage-definition.ts'

/** Name of the stage that feeds a pipeline without a source from the caller's `input`. */
export const INPUT = 'input'
/** Name of the stage that hands the outputs of a pipeline without a sink to `for await`. */
export const OUTPUT = 'output'
/** Name of the sink that writes dead letters to a file. */
export const DEAD_LETTERS = 'dead letters'

export function inputStage(): StageDefinition {
  const onLoop = { on: 'loop' } as const
  return {
    kind: 'source',
    name: INPUT,
    body: undefined,
    options: onLoop,
    operators: [],
    from: [],
    builtin: 'input',
  }
}

export function outputStage(from: readonly Feed[]): StageDefinition {
  const onLoop = { on: 'loop' } as const
  return {
    kind: 'sink',
    name: OUTPUT,
    body: undefined,
    options: onLoop,
    operators: [],
    from,
    builtin: 'output',
  }
}

export function deadLetterFileStage(file: string): StageDefinition {
  return {
    kind: 'sink',
    name: DEAD_LETTERS,
    body: undefined,
    options: { on: 'loop' },
    operators: [],
    from: [],
    takesDeadLetters: true,
    builtin: 'dead-letters',
    file,
  }
}

/**
 * Until the pipeline is planned, an added stage is named by its place: no name of the user's is like it, and none that
 * the user gives later can be in its way.
 */
const MARK = '\0'

/** A stage that hands on what it gets. @param place its place in the list of stages */
export function identityStage(
  base: string,
  place: number,
  from: readonly Feed[],
  batch?: BatchOptions,
): StageDefinition {
  const stage: StageDefinition = {
    kind: 'stage',
    name: `${base}${MARK}${place}`,
    body: (item: unknown) => item,
    options: {},
    operators: [],
    from,
    builtin: 'identity',
  }
  return batch === undefined ? stage : { ...stage, batch }
}

/** The stages and ends `by` so many places further on: names of added stages move along. */
export function moveStages(
  stages: readonly StageDefinition[],
  ends: readonly Feed[],
  by: number,
): [stages: StageDefinition[], ends: Feed[]] {
  return renameStages(stages, ends, (base, place) => `${base}${MARK}${place + by}`)
}

/** Gives added stages the names that the user sees: 'batch', 'batch 2', the first one that is free. */
export function nameStages(
  stages: readonly StageDefinition[],
  ends: readonly Feed[],
): [stages: StageDefinition[], ends: Feed[]] {
  const taken = new Set(stages.map(({ name }) => name))
  return renameStages(stages, ends, (base) => {
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base} ${number}`
    taken.add(name)
    return name
  })
}

function renameStages(
  stages: readonly StageDefinition[],
  ends: readonly Feed[],
  rename: (base: string, place: number) => string,
): [stages: StageDefinition[], ends: Feed[]] {
  const names = new Map<string, string>()
  for (const { builtin, name } of stages) {
    if (builtin !== 'identity') continue
    const [base, place] = name.split(MARK)
    names.set(name, rename(base, Number(place)))
  }
  const nameOf = (name: string): string => names.get(name) ?? name
  const follow = (feed: Feed): Feed => ({ ...feed, stage: nameOf(feed.stage) })
  const renamed = stages.map((stage) => ({
    ...stage,
    name: nameOf(stage.name),
    from: stage.from.map(follow),
  }))
  return [renamed, ends.map(follow)]
}
