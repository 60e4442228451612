// Conservation under everything at once: random graphs, orders, delays, errors, retries, crashes, early ends, stops.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { deadLettersOf } from '../../src/cli/stress/build-graph.ts'
import type { Limits } from '../../src/cli/stress/fit-graph.ts'
import { GraphLog } from '../../src/cli/stress/graph-log.ts'
import { expectRun, isExact } from '../../src/cli/stress/graph-oracle.ts'
import type { RunSpec } from '../../src/cli/stress/graph-spec.ts'
import { PipelineError, type PipelineManager, type Report, start } from '../../src/index.ts'
import randomGraph from '../fixtures/pipelines/random-graph.ts'
import { test, watch } from '../support/harness.ts'
import { seedOfRun } from '../support/random.ts'
import { randomRun } from '../support/random-graph.ts'

const RUNS = Number(process.env.MILLRACE_GRAPHS ?? 300)
/** Most runs need few threads: what they are to find is in their interleavings, and starting threads costs most. */
const PARTS: { name: string; share: number; limits: Limits }[] = [
  { name: 'small', share: 0.3, limits: { stages: 3, threads: 3, records: 1_000 } },
  { name: 'on the loop', share: 0.65, limits: { stages: 8, threads: 0 } },
  { name: 'large', share: 0.05, limits: { stages: 8, threads: 10 } },
]

for (const { name, share, limits } of PARTS) {
  const runs = Math.round(RUNS * share)
  test(`${runs} ${name} graphs: each item one outcome, in the order promised`, {
    deadlineMs: 1_300_000,
  }, async (t) => {
    const seed = seedOfRun()
    t.diagnostic(`MILLRACE_SEED=${seed}`)
    const seen = { exact: 0, stopped: 0, ended: 0, crashes: 0, items: 0 }
    await fc.assert(
      fc.asyncProperty(randomRun(limits), async (spec) => {
        const report = await runGraph(spec)
        if (isExact(spec)) seen.exact++
        else if (spec.stop === undefined) seen.ended++
        else seen.stopped++
        for (const stage of report.stages) {
          seen.crashes += stage.restarts
          if (stage.in === undefined) seen.items += stage.out
        }
      }),
      {
        seed,
        numRuns: runs,
        interruptAfterTimeLimit: 1_200_000,
        markInterruptAsFailure: true,
        endOnFailure: true,
      },
    )
    t.diagnostic(JSON.stringify(seen))
  })
}

async function runGraph(spec: RunSpec): Promise<Report> {
  const memory = GraphLog.allocate(spec)
  const log = new GraphLog(spec, memory)
  const run = watch(start(randomGraph, { spec, log: memory }))
  const report = await joinOrStop(run, spec, log)
  assertConserved(report)
  if (isExact(spec)) assertExact(spec, log, report)
  return report
}

/** Stops it when as much has been delivered as the spec says. */
async function joinOrStop(run: PipelineManager, spec: RunSpec, log: GraphLog): Promise<Report> {
  let hasEnded = false
  const joined = run.join().then(
    (report) => report,
    (error: unknown) => {
      assert.ok(error instanceof PipelineError && error.report !== undefined, String(error))
      assert.fail(`${error.message}\n${JSON.stringify(error.failures)}`)
    },
  )
  const ended = joined.finally(() => {
    hasEnded = true
  })
  const { stop } = spec
  while (stop !== undefined && !hasEnded && log.delivered < stop.after) await new Promise(setImmediate)
  if (stop?.how === 'drain') run.drain('the test says so')
  if (stop?.how === 'abort') run.abort('the test says so')
  const timer = setTimeout(() => console.error(run.diagnose(), JSON.stringify(spec)), 15_000)
  try {
    return await ended
  } finally {
    clearTimeout(timer)
  }
}

function assertConserved(report: Report): void {
  for (const stage of report.stages) {
    const { name, done, dropped, failed, abandoned, inDoubt } = stage
    if (stage.in === undefined) continue
    assert.equal(
      stage.in,
      done + dropped + failed + abandoned + inDoubt,
      `stage "${name}": ${JSON.stringify(stage)}`,
    )
    assert.equal(inDoubt, 0)
  }
}

function assertExact(spec: RunSpec, log: GraphLog, report: Report): void {
  const expected = expectRun(spec)
  assert.equal(report.outcome, 'completed')
  for (const [sink, { ids, isSequence, again }] of Object.entries(expected.sinks)) {
    const got = log.ids(sink)
    if (isSequence) assert.deepEqual(got, ids, `sink "${sink}"`)
    else if (again === 0) assert.deepEqual(sorted(got), sorted(ids), `sink "${sink}"`)
    else assertDelivered(got, ids, again * restartsOf(report, sink), `sink "${sink}"`)
  }
  for (const [stage, ids] of Object.entries(expected.deadLetters)) {
    assert.deepEqual(sorted(log.ids(deadLettersOf(stage))), sorted(ids), `dead letters of "${stage}"`)
  }
  for (const [name, { in: taken, failed, dropped }] of Object.entries(expected.stages)) {
    const stage = report.stages.find((candidate) => candidate.name === name)
    assert.ok(stage, name)
    assert.equal(stage.in, taken, `in of "${name}"`)
    assert.equal(stage.failed, failed, `failed of "${name}"`)
    if (dropped !== undefined) assert.equal(stage.dropped, dropped, `dropped of "${name}"`)
    assert.equal(stage.abandoned, 0)
  }
}

/** Each as often as expected, but for `most` that may have come once more. */
function assertDelivered(
  got: readonly number[],
  expected: readonly number[],
  most: number,
  where: string,
): void {
  const missing = [...expected]
  const more = got.filter((id) => {
    const at = missing.indexOf(id)
    if (at >= 0) missing.splice(at, 1)
    return at < 0
  })
  assert.deepEqual(missing, [], where)
  assert.ok(more.length <= most, `${where}: ${more.length} came again, ${most} may: ${more}`)
  assert.ok(
    more.every((id) => expected.includes(id)),
    `${where}: ${more}`,
  )
}

function restartsOf(report: Report, name: string): number {
  return report.stages.find((stage) => stage.name === name)?.restarts ?? 0
}

function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((one, other) => one - other)
}
