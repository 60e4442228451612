/**
 * Which queues an ordered merge looks at, and whom it keeps waiting. Pure: from the plan's words to its words.
 *
 * A reader that merges the lanes of a sorted queue looks upstream, from worker to worker, to the point where the
 * records got their numbers. Each worker on that way, when it gives a record back, may free the reader from waiting.
 */
import type { Plan, PlannedQueue } from '../plan/plan.ts'

type Shape = Pick<Plan, 'stages' | 'queues'>

/**
 * The queues that lead to the lanes of this one, from the one into its writers to the one out of the numbering point.
 * Undefined: its lanes are not merged.
 */
export function upstreamOf(queue: PlannedQueue, { stages, queues }: Shape): PlannedQueue[] | undefined {
  const maxWorkersOf = (name: string): number => stages.find((stage) => stage.name === name)?.maxWorkers ?? 1
  if (!queue.isSorted || maxWorkersOf(queue.from) === 1) return undefined
  const path: PlannedQueue[] = []
  for (let at = queue.from; maxWorkersOf(at) > 1; at = path[path.length - 1].from) {
    const into = queues.find(({ to, kind }) => to === at && kind === 'items')
    if (into === undefined) break
    path.push(into)
  }
  return path
}

/** Name of each stage -> names of the merging stages that may wait for one of its workers to give a record back. */
export function waitersOf(plan: Shape): Map<string, Set<string>> {
  const waiters = new Map<string, Set<string>>(plan.stages.map(({ name }) => [name, new Set()]))
  for (const queue of plan.queues) {
    const path = upstreamOf(queue, plan)
    // Its own writers read the first queue of the path, the writers of that one the second, and so on.
    for (const { to } of path ?? []) waiters.get(to)?.add(queue.to)
  }
  return waiters
}

/** The queues with those upstream first: an item moves from an earlier one to a later one only. */
export function inTopologicalOrder(plan: Shape): PlannedQueue[] {
  const place = new Map(plan.stages.map(({ name }, index) => [name, index]))
  const at = (queue: PlannedQueue): number => place.get(queue.from) ?? 0
  return plan.queues.toSorted((one, other) => at(one) - at(other))
}
