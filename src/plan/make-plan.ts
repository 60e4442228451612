/** Blueprint -> plan. Pure: no thread, no file, no clock. */
import type { ResourceLimits } from 'node:worker_threads'
import { inputStage, OUTPUT, outputStage, type Pipeline, type StageDefinition } from '../define/pipeline.ts'
import { RUN_OPTIONS, type RunOptions, STAGE_OPTIONS } from '../define/stage-options.ts'
import { checkOptions } from './check-options.ts'
import type { Plan, PlannedQueue, PlannedStage } from './plan.ts'
import { RULES } from './rules.ts'

export interface PlanContext {
  /** Whether the caller feeds it: a pipeline without a source gets one. */
  hasInput?: boolean
  /** Whether the caller may read what comes out: a pipeline without a sink gets one. */
  canOutput?: boolean
  run?: RunOptions
}

/** @throws the code of the first rule or option that does not hold */
export function makePlan(pipeline: Pipeline<never, never>, context: PlanContext = {}): Plan {
  const stages = closeEnds(pipeline.stages, context)
  for (const rule of RULES) rule(stages, pipeline.name)
  const options = stages.map((stage) =>
    checkOptions(`stage "${stage.name}"`, STAGE_OPTIONS, stage.options, stage.name),
  )
  return {
    pipeline: pipeline.name,
    stages: stages.map((stage, index) => planStage(stage, options[index])),
    queues: stages
      .slice(1)
      .map((stage, index) => planQueue(stages[index].name, stage.name, options[index + 1])),
    run: checkOptions('run', RUN_OPTIONS, context.run ?? {}) as unknown as Required<RunOptions>,
  }
}

/** The stages with the caller's ends added where the pipeline leaves them open. */
export function closeEnds(stages: readonly StageDefinition[], context: PlanContext): StageDefinition[] {
  const closed = [...stages]
  const first = closed[0]
  // Operators that stand before any stage wait for an input; without one there is no source.
  if (!context.hasInput && first !== undefined && isInput(first)) closed.shift()
  if (context.hasInput && first?.kind !== 'source') closed.unshift(inputStage())
  const last = closed.at(-1)
  if (context.canOutput && last !== undefined && last.kind !== 'sink') closed.push(outputStage())
  return closed
}

/** Whether the caller reads what comes out. */
export function hasOutput(plan: Plan): boolean {
  return plan.stages.at(-1)?.name === OUTPUT
}

function isInput(stage: StageDefinition): boolean {
  return stage.kind === 'source' && stage.body === undefined
}

function planStage(stage: StageDefinition, options: Record<string, unknown>): PlannedStage {
  const planned: PlannedStage = {
    name: stage.name,
    kind: stage.kind,
    host: options.on as PlannedStage['host'],
    workers: 1,
    operators: stage.operators.map((operator) => operator.kind),
  }
  if (options.resourceLimits !== undefined) planned.resourceLimits = options.resourceLimits as ResourceLimits
  return planned
}

function planQueue(from: string, to: string, options: Record<string, unknown>): PlannedQueue {
  return { from, to, capacity: options.capacity as number, capacityBytes: options.capacityBytes as number }
}
