/** The stages of a pipeline with everything that was left open closed: the same list in every thread. */
import { deadLetterFileStage, INPUT, inputStage, nameStages, outputStage } from '../define/builtin-stages.ts'
import { settleBatch } from '../define/draft.ts'
import type { Blueprint } from '../define/pipeline.ts'
import type { Feed, StageDefinition } from '../define/stage-definition.ts'

export interface ClosingContext {
  /** Whether the caller feeds it: stages that nothing feeds get the caller's input. */
  hasInput?: boolean
  /** Whether the caller may read what comes out: what is open goes to the caller. */
  canOutput?: boolean
  /** The file for dead letters that the run was given, which the pipeline's own gives way to. */
  run?: { deadLetters?: string }
}

type Graph = [stages: readonly StageDefinition[], ends: readonly Feed[]]

/**
 * Stages that read come after those that they read from; the sink of the dead letters is the last. Nothing is checked:
 * see rules.ts.
 */
export function closeEnds(
  pipeline: Blueprint<never, unknown>,
  { hasInput = false, canOutput = false, run }: ClosingContext,
): StageDefinition[] {
  const { stages, ends, deadLettersTo } = settleBatch(pipeline)
  const [fed, open] = hasInput ? withInput(stages, ends) : withoutInput(stages, ends)
  const closed = canOutput && open.length > 0 ? [...fed, outputStage(open)] : fed
  const sink = deadLetterSink(run?.deadLetters ?? deadLettersTo)
  const isUsed = closed.some((stage) => sendsDeadLetters(stage))
  const [named] = nameStages(sink !== undefined && isUsed ? [...closed, sink] : closed, [])
  return placeAdded(named)
}

/** Whether items that fail in it go to the sink of the dead letters. */
export function sendsDeadLetters({ options }: StageDefinition): boolean {
  return options?.onError === 'dead-letter'
}

function withInput(stages: readonly StageDefinition[], ends: readonly Feed[]): Graph {
  if (stages.length === 0) return [[inputStage()], [{ stage: INPUT }]]
  const isUnfed = ({ kind, from }: StageDefinition): boolean => kind !== 'source' && from.length === 0
  if (!stages.some(isUnfed)) return [stages, ends]
  const fed = stages.map((stage) => (isUnfed(stage) ? { ...stage, from: [{ stage: INPUT }] } : stage))
  const input = fed.filter(isInput)
  const rest = fed.filter((stage) => !isInput(stage))
  return [[...(input.length > 0 ? input : [inputStage()]), ...rest], ends]
}

/** Operators that stand before any stage wait for an input; without one there is no source. */
function withoutInput(stages: readonly StageDefinition[], ends: readonly Feed[]): Graph {
  const isKnown = ({ stage }: Feed): boolean => stage !== INPUT || !stages.some(isInput)
  const kept = stages.filter((stage) => !isInput(stage))
  return [kept.map((stage) => ({ ...stage, from: stage.from.filter(isKnown) })), ends.filter(isKnown)]
}

function isInput({ builtin }: StageDefinition): boolean {
  return builtin === 'input'
}

function deadLetterSink(to: string | StageDefinition | undefined): StageDefinition | undefined {
  return typeof to === 'object' || to === undefined ? to : deadLetterFileStage(to)
}

/** Added stages take no thread, and need no module, where nothing else does. */
function placeAdded(stages: readonly StageDefinition[]): StageDefinition[] {
  const own = stages.filter(({ builtin }) => builtin === undefined)
  const isOnLoop = own.length > 0 && own.every(({ options }) => options?.on === 'loop')
  return stages.map((stage) =>
    stage.builtin === 'identity' && isOnLoop
      ? { ...stage, options: { ...stage.options, on: 'loop' } }
      : stage,
  )
}
