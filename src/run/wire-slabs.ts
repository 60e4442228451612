/** The slabs of a run: memory for each worker that may make some, and who may come to see them. */

import type { Plan, PlannedQueue, PlannedStage } from '../plan/plan.ts'
import { SlabBoard } from '../queue/slab-board.ts'
import { allocateSlabs } from '../queue/slab-pool.ts'
import type { SlabTask } from '../queue/slabs.ts'
import { inTopologicalOrder } from './merge-paths.ts'
import type { RunQueue } from './run-queue.ts'

/** What the workers of a stage are told; each has its own number besides. */
export type StageSlabs = Omit<SlabTask, 'worker' | 'queues'> & { queues: readonly RunQueue[] }

interface Wired {
  plan: Plan
  bells: ReadonlyMap<string, readonly number[]>
  queues: ReadonlyMap<PlannedQueue, RunQueue>
}

/** By the names of the stages. Nothing is taken but address space: see slab-pool.ts. */
export function wireSlabs({ plan, bells, queues }: Wired): Map<string, StageSlabs> {
  const board = SlabBoard.allocate(plan.stages.reduce((sum, { maxWorkers }) => sum + maxWorkers, 0))
  const ordered = inTopologicalOrder(plan)
  const pools = new Map<string, (SharedArrayBuffer | undefined)[]>()
  for (const { name, maxWorkers, slabBytes } of plan.stages) {
    pools.set(
      name,
      Array.from({ length: maxWorkers }, () => allocateSlabs(slabBytes)),
    )
  }
  const isSeenBy = (maker: PlannedStage, name: string): boolean =>
    maker.name === name || queuesAfter(maker.name, ordered).some(({ to }) => to === name)
  return new Map(
    plan.stages.map(({ name }) => {
      const makers = plan.stages.filter((maker) => isSeenBy(maker, name))
      const after = queuesAfter(name, ordered)
      const holders = plan.stages.filter(
        (stage) => stage.batch !== undefined && after.some(({ to }) => to === stage.name),
      )
      return [
        name,
        {
          board,
          pools: plan.stages.flatMap((stage) =>
            makers.includes(stage)
              ? (pools.get(stage.name) ?? [])
              : new Array(stage.maxWorkers).fill(undefined),
          ),
          bells: makers.flatMap((maker) => (maker.name === name ? [] : (bells.get(maker.name) ?? []))),
          holderBells: holders.flatMap((holder) => bells.get(holder.name) ?? []),
          queues: after.map((queue) => queues.get(queue) as RunQueue),
        },
      ]
    }),
  )
}

/** All that what the stage puts can come to; upstream first. */
function queuesAfter(name: string, ordered: readonly PlannedQueue[]): PlannedQueue[] {
  const reached = new Set([name])
  return ordered.filter(({ from, to }) => reached.has(from) && reached.add(to))
}
