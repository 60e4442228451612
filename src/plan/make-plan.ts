/** Blueprint -> plan. Pure but for the count of cores: no thread, no clock, and of files only which are the same. */
import { availableParallelism } from 'node:os'
import type { Blueprint } from '../define/pipeline.ts'
import { RUN_OPTIONS, type RunOptions } from '../define/stage-options.ts'
import { chooseWorkers } from './auto-workers.ts'
import { checkOptions } from './check-options.ts'
import { type ClosingContext, closeEnds } from './close-ends.ts'
import { noteWhatCannotBe } from './notes.ts'
import { checkBatchesLeave, checkCheckpointsDiffer, checkStage } from './option-rules.ts'
import { findOrder } from './order.ts'
import type { Plan, PlannedRun } from './plan.ts'
import { planQueues } from './plan-queues.ts'
import { planStage } from './plan-stage.ts'
import { RULES } from './rules.ts'
import { checkNothingReadIsWritten } from './same-file.ts'

export interface PlanContext extends ClosingContext {
  run?: RunOptions
  /** Cores that `workers: 'auto'` shares out. Default: those that this process may use. */
  cores?: number
}

/** @throws the code of the first rule or option that does not hold */
export function makePlan(pipeline: Blueprint<never, unknown>, context: PlanContext = {}): Plan {
  const run = checkOptions('run', RUN_OPTIONS, context.run ?? {}) as unknown as PlannedRun
  const definitions = closeEnds(pipeline, context)
  for (const rule of RULES) rule(definitions, pipeline.name)
  const checked = definitions.map(checkStage)
  const { workers, notes } = chooseWorkers(checked, context.cores ?? availableParallelism())
  const maxWorkers = checked.map(({ options }, index) => options.maxWorkers ?? workers[index])
  const orders = findOrder(checked, maxWorkers)
  let sources = 0
  const readers = checked.map((stage, index) => {
    const sourceIndex = stage.definition.kind === 'source' ? sources++ : undefined
    const chosen = {
      workers: workers[index],
      maxWorkers: maxWorkers[index],
      order: orders[index],
      sourceIndex,
    }
    return { ...stage, planned: planStage(stage, chosen) }
  })
  notes.push(...orders.flatMap(({ note }) => note ?? []), ...noteWhatCannotBe(pipeline, checked))
  const sorted = new Set(
    readers.flatMap(({ planned }, index) => (orders[index].isSorted ? [planned.name] : [])),
  )
  const planned = readers.map((reader) => reader.planned)
  checkCheckpointsDiffer(planned)
  checkNothingReadIsWritten(definitions)
  if (run.maxInFlight !== undefined) checkBatchesLeave(planned)
  return {
    pipeline: pipeline.name,
    stages: planned,
    queues: planQueues(readers, sorted, notes),
    run,
    notes,
  }
}

/** Whether the caller reads what comes out. */
export function hasOutput(plan: Plan): boolean {
  return plan.stages.some(({ builtin }) => builtin === 'output')
}
