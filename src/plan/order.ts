/**
 * Where items have an order that can be kept.
 *
 * A stage with at most one worker numbers what it gives: it is a numbering point. With several workers each hands on the
 * numbers of what it gets, and they increase on every lane as long as each worker gets increasing numbers, of one
 * numbering point, and gives what it makes of them in that order.
 */
import type { StageDefinition } from '../define/stage-definition.ts'
import type { Order } from '../define/stage-options.ts'
import { isStreamBody } from '../define/stream-body.ts'
import type { CheckedStage } from './option-rules.ts'
import type { PlannedStage } from './plan.ts'

export interface StageOrder {
  /** As it will be. */
  order: Order
  numbering: PlannedStage['numbering']
  /** Its outputs have increasing numbers on every lane. */
  isSorted: boolean
  /** Several of its outputs may have one number. */
  mayRepeat: boolean
  note?: string
}

/** @param maxWorkers of each stage */
export function findOrder(stages: readonly CheckedStage[], maxWorkers: readonly number[]): StageOrder[] {
  const found = new Map<string, StageOrder>()
  for (const [index, stage] of stages.entries()) {
    found.set(stage.definition.name, orderOf(stage, maxWorkers[index], found))
  }
  return [...found.values()]
}

function orderOf(
  { definition, options }: CheckedStage,
  maxWorkers: number,
  before: ReadonlyMap<string, StageOrder>,
): StageOrder {
  const asked = options.order ?? 'input'
  const isKeyed = options.by !== undefined
  if (maxWorkers === 1) return { order: asked, numbering: 'own', isSorted: true, mayRepeat: false }
  const why = asked === 'input' ? whyUnordered(definition, isKeyed, before) : undefined
  const order = asked === 'input' && why === undefined ? 'input' : 'completion'
  const mayRepeat =
    makesSeveral(definition) || definition.from.some(({ stage }) => before.get(stage)?.mayRepeat)
  const planned: StageOrder = { order, numbering: 'inherit', isSorted: order === 'input', mayRepeat }
  // By default it is wished for, not promised.
  if (why === undefined || definition.options.order === undefined) return planned
  return { ...planned, note: `stage "${definition.name}": order "input" cannot be kept: ${why}` }
}

function whyUnordered(
  { body, from, batch, takesDeadLetters }: StageDefinition,
  isKeyed: boolean,
  before: ReadonlyMap<string, StageOrder>,
): string | undefined {
  if (isStreamBody(body)) return 'its outputs come of their own accord'
  if (takesDeadLetters === true) return 'dead letters come from several workers'
  if (from.length !== 1) return 'it reads several queues'
  const writer = before.get(from[0].stage)
  if (writer?.isSorted !== true) return `stage "${from[0].stage}" gives items as they are ready`
  if (isKeyed && writer.mayRepeat) return 'its keys part what several workers made of one item'
  return batch?.by === undefined ? undefined : 'batches of different keys overtake each other'
}

/** Whether it is known to make several outputs of one item: any function may return a generator. */
function makesSeveral({ body, operators }: StageDefinition): boolean {
  if (operators.some(({ kind }) => kind === 'flatMap')) return true
  const process = typeof body === 'function' ? body : (body as { process?: unknown } | undefined)?.process
  return typeof process === 'function' && /^(Async)?GeneratorFunction$/.test(process.constructor.name)
}
