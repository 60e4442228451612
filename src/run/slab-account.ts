/** How the slabs of a stage stand: what its workers counted, and what the lanes say. */
import type { SlabReport } from '../observe/report.ts'
import { SlabCounts } from '../queue/slab-board.ts'
import { SlabSweep } from '../queue/slab-sweep.ts'
import type { StageConnections } from './connections.ts'

/** Undefined: it never asked for any. */
export function accountForSlabs({ slabs, plan, firstIndex }: StageConnections): SlabReport | undefined {
  if (slabs === undefined) return undefined
  const sum: SlabReport = { allocated: 0, copied: 0, waits: 0, bytes: 0, inUse: 0, held: 0 }
  let sweep: SlabSweep | undefined
  for (let worker = firstIndex; worker < firstIndex + plan.maxWorkers; worker++) {
    const counts = new SlabCounts(slabs.board, worker)
    if (counts.taken + counts.copied === 0) continue
    sweep ??= new SlabSweep(slabs.queues.map(({ memory }) => memory))
    const used: number[] = []
    sweep.collect(worker, used)
    sum.allocated += counts.taken
    sum.copied += counts.copied
    sum.waits += counts.waits
    sum.bytes += slabs.pools[worker]?.byteLength ?? 0
    sum.inUse += new Set(used.filter((_, index) => index % 2 === 0)).size
    sum.held += counts.held
  }
  return sum.allocated + sum.copied === 0 ? undefined : sum
}
