/** Broadcast and route: one pipeline goes on as several. */
import { MillraceError, show } from '../errors.ts'
import { changeEnd, type Draft, settleBatch, withStageAtEnd } from './draft.ts'
import type { Feed, SplitKind } from './stage-definition.ts'

/** A branch: goes on from the pipeline that it is given. */
export type BranchBuilder = (branch: never) => Draft

/**
 * @param begin makes the pipeline that a branch function gets
 * @param isDraft whether what it gave back is a pipeline
 * @throws MILLRACE_INVALID_BRANCH
 */
export function splitDraft(
  draft: Draft,
  split: SplitKind,
  branches: Readonly<Record<string, BranchBuilder>>,
  choose: unknown,
  begin: (draft: Draft) => unknown,
  isDraft: (value: unknown) => value is Draft,
): Draft {
  const names = checkBranches(draft.name, split, branches)
  const chosen = split === 'route' ? { choose: checkChoose(draft.name, choose) } : {}
  let stem = changeEnd(
    withStageAtEnd(draft, () => 'split'),
    (stage) => ({
      ...stage,
      split,
      branches: names,
      ...chosen,
    }),
  )
  const stage = stem.ends[0]?.stage ?? stem.stages[stem.stages.length - 1].name
  const ends: Feed[] = []
  for (const branch of names) {
    const start: Draft = { ...stem, ends: [{ stage, branch }] }
    const built: unknown = branches[branch](begin(start) as never)
    const grown = settleBatch(checkBuilt(start, branch, built, isDraft))
    ends.push(...grown.ends)
    stem = grown
  }
  return { ...stem, ends }
}

function checkBranches(
  pipeline: string,
  split: SplitKind,
  branches: Readonly<Record<string, unknown>>,
): string[] {
  if (typeof branches !== 'object' || branches === null || Object.keys(branches).length === 0) {
    throw invalidBranch(`pipeline "${pipeline}": ${split} needs an object of branches, got ${show(branches)}`)
  }
  for (const [name, branch] of Object.entries(branches)) {
    if (typeof branch === 'function') continue
    throw invalidBranch(`pipeline "${pipeline}": branch "${name}" must be a function, got ${show(branch)}`)
  }
  return Object.keys(branches)
}

function checkChoose(pipeline: string, choose: unknown): (item: unknown) => unknown {
  if (typeof choose === 'function') return choose as (item: unknown) => unknown
  throw invalidBranch(
    `pipeline "${pipeline}": route needs a function that names the branch, got ${show(choose)}`,
  )
}

function checkBuilt(
  start: Draft,
  branch: string,
  built: unknown,
  isDraft: (value: unknown) => value is Draft,
): Draft {
  const subject = `pipeline "${start.name}": branch "${branch}" must return`
  if (!isDraft(built)) throw invalidBranch(`${subject} a pipeline, got ${show(built)}`)
  if (start.stages.every((stage, place) => built.stages[place] === stage)) return built
  throw invalidBranch(`${subject} what it made of the pipeline that it is given, not another one`)
}

function invalidBranch(message: string): MillraceError {
  return new MillraceError('MILLRACE_INVALID_BRANCH', message)
}
