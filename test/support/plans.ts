/** Plans, and what is wrong with pipelines that have none. */
import assert from 'node:assert/strict'
import { type Blueprint, type Pipeline, pipeline } from '../../src/define/pipeline.ts'
import type { StageOptions } from '../../src/define/stage-options.ts'
import type { MillraceError, MillraceErrorCode } from '../../src/errors.ts'
import { makePlan, type PlanContext } from '../../src/plan/make-plan.ts'
import type { Plan, PlannedStage } from '../../src/plan/plan.ts'

/** Enough cores that nothing is said of them. */
const CORES = 64

export const same = (n: number): number => n
export const ignore = (): void => {}

/** A pipeline `p` with the source `in`. */
export function begun(): Pipeline<never, number> {
  return pipeline('p').source('in', () => [1, 2])
}

/** `in -> x -> out`, where x has these options. */
export function withOptions(options: StageOptions<number>): Blueprint<never, never> {
  return begun().stage('x', same, options).sink('out', ignore)
}

export function planOf(blueprint: Blueprint<never, unknown>, context: PlanContext = {}): Plan {
  return makePlan(blueprint, { cores: CORES, ...context })
}

export function stageOf(plan: Plan, name: string): PlannedStage {
  const stage = plan.stages.find((candidate) => candidate.name === name)
  assert.ok(stage !== undefined, `there is no stage ${name}`)
  return stage
}

/** `in -> x`, `x -small-> out`. */
export function linksOf(plan: Plan): string[] {
  return plan.queues.map(({ from, to, branch, kind }) => {
    const label = kind === 'dead-letters' ? 'failed' : branch
    return label === undefined ? `${from} -> ${to}` : `${from} -${label}-> ${to}`
  })
}

export function refuses(
  blueprint: Blueprint<never, unknown>,
  code: MillraceErrorCode,
  message: string,
  context: PlanContext = {},
): MillraceError {
  let refused: MillraceError | undefined
  assert.throws(
    () => planOf(blueprint, context),
    (error: MillraceError) => {
      refused = error
      assert.deepEqual({ code: error.code, message: error.message }, { code, message })
      return true
    },
  )
  return refused as MillraceError
}
