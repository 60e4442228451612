/** The invariants of every run, whatever happened in it: each item has one outcome, each stage its end. Pure. */
import type { Report } from '../../observe/report.ts'

/** @param hasDied whether a worker of it died: only then may a sink be in doubt */
export function checkReport(report: Report, hasDied: boolean): string[] {
  return [...report.stages.flatMap((stage) => checkStage(stage, hasDied)), ...checkQueues(report)]
}

function checkStage(stage: Report['stages'][number], hasDied: boolean): string[] {
  const { name, in: taken, done, dropped, failed, abandoned, inDoubt } = stage
  if (taken === undefined) return []
  const found: string[] = []
  const settled = done + dropped + failed + abandoned + inDoubt
  if (taken !== settled) {
    const parts = `${done} done, ${dropped} dropped, ${failed} failed, ${abandoned} abandoned, ${inDoubt} in doubt`
    found.push(`stage "${name}" took ${taken} items, and ${settled} have an outcome: ${parts}`)
  }
  if (inDoubt > 0 && !hasDied) found.push(`stage "${name}" is in doubt of ${inDoubt} items, and nobody died`)
  return found
}

/** What was put into the queues before a stage is what it took. */
function checkQueues({ stages, queues }: Report): string[] {
  return stages.flatMap(({ name, in: taken }) => {
    const passed = queues.filter(({ to }) => to === name).reduce((sum, queue) => sum + queue.passed, 0)
    if (taken === undefined || taken === passed) return []
    return [`stage "${name}" took ${taken} items, and ${passed} were put into its queues`]
  })
}
