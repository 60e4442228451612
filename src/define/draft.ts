/**
 * What a builder has put together so far, and the steps that add to it. Every step gives a new draft.
 *
 * Whatever stands open is an end: one stage, a branch of one, or several of them that were merged. Operators, and a
 * split, become part of the stage at the one open end; where there is no such stage, one that hands on is added.
 */

import type { BatchOptions } from './batch-options.ts'
import { INPUT, identityStage, inputStage, moveStages } from './builtin-stages.ts'
import { isObject } from './option-table.ts'
import type { FusedOperator } from './stage-body.ts'
import type { Feed, StageDefinition } from './stage-definition.ts'

export interface Draft {
  readonly name: string
  /** Each after those that feed it, but for the sink of the dead letters. */
  readonly stages: readonly StageDefinition[]
  /** What nothing reads yet. None: no stage yet, or every path ends in a sink. */
  readonly ends: readonly Feed[]
  /** What comes next takes batches. */
  readonly batching: BatchOptions | undefined
  /** Where dead letters go: a file or a sink. */
  readonly deadLettersTo: string | StageDefinition | undefined
}

export type NewStage = Pick<StageDefinition, 'kind' | 'name' | 'body' | 'options'>

export function addStage(draft: Draft, stage: NewStage): Draft {
  const batch = draft.batching === undefined ? {} : { batch: draft.batching }
  const ends = stage.kind === 'sink' ? [] : [{ stage: stage.name }]
  const options = withDefaults(stage)
  const added: StageDefinition = { ...stage, options, operators: [], from: feedsOf(draft), ...batch }
  return { ...draft, stages: [...draft.stages, added], ends, batching: undefined }
}

/** What the stage was given, and below it what its body would have. */
function withDefaults({ body, options }: NewStage): StageDefinition['options'] {
  const defaults = (body as { defaults?: object } | undefined | null)?.defaults
  if (defaults === undefined || !isObject(options)) return options
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

/** Operators belong to the stage before them; before any stage, to the input. */
export function fuse(draft: Draft, operator: FusedOperator): Draft {
  const settled = withStageAtEnd(withInput(draft), baseOf)
  return changeEnd(settled, (stage) => ({ ...stage, operators: [...stage.operators, operator] }))
}

/** Joins what is open in all of them; several times the same stage is found out when it is planned. */
export function join(draft: Draft, others: readonly Draft[]): Draft {
  let joined = settleBatch(withInput(draft))
  for (const other of others) {
    const { stages, ends, deadLettersTo } = settleBatch(withInput(other))
    const [movedStages, movedEnds] = moveStages(stages, ends, joined.stages.length)
    joined = {
      ...joined,
      stages: [...joined.stages, ...movedStages],
      ends: [...joined.ends, ...movedEnds],
      deadLettersTo: joined.deadLettersTo ?? deadLettersTo,
    }
  }
  return joined
}

/** A batch that neither a stage nor a sink takes gets a stage of its own. */
export function settleBatch(draft: Draft): Draft {
  return draft.batching === undefined ? draft : withOwnStage(draft, 'batch')
}

/** The draft with one stage at its end to which something can be added. */
export function withStageAtEnd(draft: Draft, base: (draft: Draft) => string): Draft {
  if (draft.batching !== undefined) return settleBatch(draft)
  const hasOne = draft.ends.length === 1 && draft.ends[0].branch === undefined
  return hasOne || isEnded(draft) ? draft : withOwnStage(draft, base(draft))
}

/** Changes the stage at the one open end; of a draft that has ended, the last stage: that is found out later. */
export function changeEnd(draft: Draft, change: (stage: StageDefinition) => StageDefinition): Draft {
  const name = draft.ends[0]?.stage ?? draft.stages.at(-1)?.name
  const place = draft.stages.findLastIndex((stage) => stage.name === name)
  return { ...draft, stages: draft.stages.with(place, change(draft.stages[place])) }
}

export function isEnded({ stages, ends }: Draft): boolean {
  return stages.length > 0 && ends.length === 0
}

/** What the next stage reads. What follows a sink reads the sink, so that it is found out when it is planned. */
function feedsOf(draft: Draft): readonly Feed[] {
  return isEnded(draft) ? [{ stage: draft.stages[draft.stages.length - 1].name }] : draft.ends
}

function withOwnStage(draft: Draft, base: string): Draft {
  const stage = identityStage(base, draft.stages.length, feedsOf(draft), draft.batching)
  return { ...draft, stages: [...draft.stages, stage], ends: [{ stage: stage.name }], batching: undefined }
}

/** Where there is no stage yet, and none is about to come, the caller's input gets its place. */
function withInput(draft: Draft): Draft {
  if (draft.stages.length > 0 || draft.batching !== undefined) return draft
  return { ...draft, stages: [inputStage()], ends: [{ stage: INPUT }] }
}

function baseOf({ ends }: Draft): string {
  return ends.length === 1 ? `branch ${ends[0].branch}` : 'merge'
}
