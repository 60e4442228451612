/** The queues between the stages, each as large as what is beside it needs. */
import type { StageDefinition } from '../define/stage-definition.ts'
import { STAGE_OPTIONS } from '../define/stage-options.ts'
import { invalidOption, MillraceError } from '../errors.ts'
import { sendsDeadLetters } from './close-ends.ts'
import type { CheckedStage } from './option-rules.ts'
import type { PlannedQueue, PlannedStage } from './plan.ts'

/** A ticket has 10 bits for the lane; a batch takes one of them. */
const MOST_LANES = 1023
const MOST_LANES_OF_BATCHES = 511
const MOST_ITEMS = 2 ** 20
const MOST_BYTES = 2 ** 31 - 2 ** 20
/** A lane with less has no room for any item. */
const LEAST_LANE_BYTES = 64

interface Reader extends CheckedStage {
  planned: PlannedStage
}

/** One thing that a queue must have room for. */
interface Need {
  amount: number
  why: string
}

/** @throws MILLRACE_INVALID_OPTION, MILLRACE_TOO_MANY_WORKERS */
export function planQueues(
  readers: readonly Reader[],
  sorted: ReadonlySet<string>,
  notes: string[],
): PlannedQueue[] {
  const writers = new Map(readers.map(({ planned }) => [planned.name, planned]))
  return readers.flatMap((reader) => {
    const queues = linksTo(reader.definition, readers).map(({ stage, branch, kind }) => {
      const writer = writers.get(stage) as PlannedStage
      const isSorted = kind === 'items' && sorted.has(stage)
      return {
        ...planQueue(writer, reader, notes),
        ...(branch === undefined ? {} : { branch }),
        isSorted,
        kind,
      }
    })
    checkLanes(reader.planned, queues, writers)
    return queues
  })
}

function linksTo(definition: StageDefinition, stages: readonly Reader[]) {
  if (definition.takesDeadLetters !== true) {
    return definition.from.map(({ stage, branch }) => ({ stage, branch, kind: 'items' as const }))
  }
  const senders = stages.filter((stage) => sendsDeadLetters(stage.definition))
  return senders.map(({ planned }) => ({
    stage: planned.name,
    branch: undefined,
    kind: 'dead-letters' as const,
  }))
}

function planQueue(writer: PlannedStage, { planned, options, definition }: Reader, notes: string[]) {
  const { name, isPartitioned } = planned
  const fit = (option: 'capacity' | 'capacityBytes', most: number, needs: readonly Need[]): number => {
    const asked = options[option] ?? STAGE_OPTIONS[option].default
    const { amount, why } = needs.reduce((least, need) => (need.amount > least.amount ? need : least))
    if (amount <= asked) return asked
    if (amount > most) {
      throw invalidOption(
        `stage "${name}"`,
        option,
        `at least ${amount} for ${why}, and at most ${most}`,
        asked,
        name,
      )
    }
    // What was not asked for is no news.
    if (definition.options[option] !== undefined)
      notes.push(`queue ${writer.name} -> ${name}: ${option} is ${amount}, not ${asked}: ${why}`)
    return amount
  }
  return {
    from: writer.name,
    to: name,
    capacity: fit('capacity', MOST_ITEMS, itemNeeds(writer, planned)),
    capacityBytes: fit('capacityBytes', MOST_BYTES, byteNeeds(writer, planned)),
    overflow: options.overflow ?? 'block',
    isPartitioned,
  }
}

/**
 * A batch is in the queue until it has been processed. Every worker before may be the only one that has anything to
 * send, and must then be able to fill a batch for each of the workers after it.
 */
function itemNeeds(writer: PlannedStage, { batch, concurrency, maxWorkers }: PlannedStage): Need[] {
  const most = Math.max(writer.maxWorkers, maxWorkers)
  const needs: Need[] = [{ amount: most, why: `one for each of ${most} workers` }]
  if (concurrency > 1 && batch === undefined) {
    const why = `${maxWorkers === 1 ? 'a worker has' : `each of ${maxWorkers} workers has`} ${concurrency} in hand`
    needs.push({ amount: maxWorkers * concurrency, why })
  }
  if (batch !== undefined) {
    const amount = batch.size * Math.max(2, writer.maxWorkers * maxWorkers)
    needs.push({ amount, why: `batches of ${batch.size}${between(writer.maxWorkers, maxWorkers)}` })
  }
  return needs
}

function byteNeeds(writer: PlannedStage, { batch, maxWorkers }: PlannedStage): Need[] {
  const lanes = writer.maxWorkers * maxWorkers
  const needs: Need[] = [{ amount: lanes * LEAST_LANE_BYTES, why: `${lanes} lanes` }]
  if (batch?.bytes !== undefined) {
    const why = `batches of ${batch.bytes} bytes${between(writer.maxWorkers, maxWorkers)}`
    needs.push({ amount: 2 * batch.bytes * lanes, why })
  }
  return needs
}

function between(writers: number, readers: number): string {
  return writers * readers === 1 ? '' : ` from ${writers} to ${readers} workers`
}

function checkLanes(
  { name, batch }: PlannedStage,
  queues: readonly PlannedQueue[],
  writers: ReadonlyMap<string, PlannedStage>,
): void {
  const lanes = queues.reduce((sum, { from }) => sum + (writers.get(from)?.maxWorkers ?? 0), 0)
  const most = batch === undefined ? MOST_LANES : MOST_LANES_OF_BATCHES
  if (lanes <= most) return
  throw new MillraceError(
    'MILLRACE_TOO_MANY_WORKERS',
    `stage "${name}": ${lanes} workers send to it; it can have ${most}`,
    { stage: name },
  )
}
