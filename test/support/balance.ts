/** The invariant of every run: what came in has exactly one outcome each. */
import assert from 'node:assert/strict'
import { PipelineError } from '../../src/errors.ts'
import type { PipelineManager, Report } from '../../src/index.ts'
import { watch } from './harness.ts'

/** Every item of every stage is accounted for, and what was put into its queues came in. */
export function assertBalanced(report: Report): void {
  const text = JSON.stringify(report.stages, null, 1)
  for (const stage of report.stages) {
    if (stage.in === undefined) continue
    const { done, dropped, failed, abandoned, inDoubt } = stage
    assert.equal(
      stage.in,
      done + dropped + failed + abandoned + inDoubt,
      `stage "${stage.name}" lost count: ${text}`,
    )
    const passed = report.queues
      .filter(({ to }) => to === stage.name)
      .reduce((sum, queue) => sum + queue.passed, 0)
    if (report.queues.some(({ to }) => to === stage.name)) {
      assert.equal(stage.in, passed, `what went to "${stage.name}" did not come in: ${text}`)
    }
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
