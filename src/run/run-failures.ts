/** What went wrong in a run: what ended it, and the items that failed while it went on. */
import { MillraceError } from '../errors.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { PlannedStage } from '../plan/plan.ts'
import { FailureBudget } from './failure-budget.ts'

/** Failed items of a stage that the report lists; all are counted. */
const MOST_LISTED = 100

interface StageFailures {
  listed: Failure[]
  budget: FailureBudget | undefined
  isExceeded: boolean
}

export class RunFailures {
  /** What ended the run, in the order in which it was told. */
  readonly fatal: Failure[] = []
  readonly #items = new Map<string, StageFailures>()

  /** What ended the run; then items that failed, the first of each stage. */
  get all(): Failure[] {
    return [...this.fatal, ...[...this.#items.values()].flatMap(({ listed }) => listed)]
  }

  /** Notes an item that failed; what to fail the run with, if it was one too many. */
  noteItem(failure: Failure, plan: PlannedStage | undefined, nowMs: number): Failure | undefined {
    const stage = this.#of(failure.stage, plan)
    if (stage.listed.length < MOST_LISTED) stage.listed.push(failure)
    if (stage.budget === undefined || stage.isExceeded || stage.budget.note(nowMs)) return undefined
    stage.isExceeded = true
    return tooMany(failure, plan)
  }

  #of(name: string, plan: PlannedStage | undefined): StageFailures {
    let stage = this.#items.get(name)
    if (stage === undefined) {
      const allowed = plan?.maxFailures
      const budget = allowed === undefined ? undefined : new FailureBudget(allowed)
      stage = { listed: [], budget, isExceeded: false }
      this.#items.set(name, stage)
    }
    return stage
  }
}

function tooMany(last: Failure, plan: PlannedStage | undefined): Failure {
  const allowed = plan?.maxFailures
  const most =
    typeof allowed === 'object' ? `${allowed.count} items within ${allowed.withinMs} ms` : `${allowed} items`
  const code = 'MILLRACE_TOO_MANY_FAILURES'
  const { stage, worker, item } = last
  const place = { stage, worker, ...(item === undefined ? {} : { item }) }
  const why = new MillraceError(code, `more than ${most} failed, its maxFailures; the last: ${last.message}`)
  return makeFailure(code, 'failed too often', place, why)
}
