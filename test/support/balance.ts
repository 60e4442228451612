/** The invariant of every run: what came in has exactly one outcome each. */
import assert from 'node:assert/strict'
import { PipelineError } from '../../src/errors.ts'
import type { PipelineManager, Report } from '../../src/index.ts'
import { watch } from './harness.ts'

/** Every item of a run of 1:1 stages is accounted for, and what one stage put the next one got. */
export function assertBalanced(report: Report): void {
  const text = JSON.stringify(report.stages, null, 1)
  for (const [index, stage] of report.stages.entries()) {
    if (stage.in === undefined) continue
    const { out, dropped, failed, abandoned, inDoubt } = stage
    assert.equal(
      stage.in,
      out + dropped + failed + abandoned + inDoubt,
      `stage "${stage.name}" lost count: ${text}`,
    )
    assert.equal(
      stage.in,
      report.stages[index - 1].out,
      `between "${stage.name}" and the one before: ${text}`,
    )
  }
  for (const queue of report.queues) {
    assert.ok(
      queue.peak <= queue.capacity,
      `the queue to "${queue.to}" held ${queue.peak} of ${queue.capacity}`,
    )
  }
}

/** The report of a run, whether it failed or not; its balance is checked. */
export async function reportOf(run: PipelineManager<unknown>): Promise<Report> {
  watch(run)
  const report = await run.join().catch((error: unknown) => {
    if (error instanceof PipelineError) return error.report as Report
    throw error
  })
  assertBalanced(report)
  return report
}
