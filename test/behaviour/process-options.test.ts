// Sources and sinks in processes, and what the options of a process do there.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, realpathSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { TestContext } from 'node:test'
import { type Failure, PipelineError, start } from '../../src/index.ts'
import ends, {
  type EndsInProcessesOptions,
  type Surroundings,
} from '../fixtures/pipelines/ends-in-processes.ts'
import { untilGone } from '../support/alive.ts'
import { reportOf } from '../support/balance.ts'
import { makeFolder } from '../support/folder.ts'
import { test, watch } from '../support/harness.ts'

const SLOW_START = { deadlineMs: 50_000 }

type Line = Surroundings & { number: number; source: number; mapped: number; sink: number; closed?: number }

async function linesOf(t: TestContext, options: Omit<EndsInProcessesOptions, 'file'>): Promise<Line[]> {
  const file = makeFolder(t)('lines')
  const report = await reportOf(watch(start(ends, { ...options, file }, { startMs: 40_000 })))
  assert.deepEqual([report.outcome, report.stages.at(-1)?.out], ['completed', options.items])
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test(
  'a source, a stage and a sink in a process each: all in order, each once, and closed',
  SLOW_START,
  async (t) => {
    const lines = await linesOf(t, { items: 300 })
    assert.deepEqual(
      lines.slice(0, -1).map(({ number }) => number),
      Array.from({ length: 300 }, (_, at) => at + 1),
    )
    assert.equal(lines.at(-1)?.closed, 300)
    const [{ source, pid, sink, mapped }] = lines
    assert.equal(new Set([source, pid, sink, process.pid]).size, 4)
    // What follows a source runs in the thread that counts what it read.
    assert.equal(mapped, process.pid)
    for (const gone of [source, pid, sink]) await untilGone(gone, 1000)
  },
)

test(
  'nice, cwd, env, execArgv and memory limits are those of the process, and of it alone',
  SLOW_START,
  async (t) => {
    const folder = makeFolder(t)('work')
    mkdirSync(folder)
    process.env.MILLRACE_TAKEN = 'there'
    process.env.MILLRACE_INHERITED = 'there'
    t.after(() => {
      delete process.env.MILLRACE_TAKEN
      delete process.env.MILLRACE_INHERITED
    })
    const nice = Math.min(19, os.getPriority() + 3)
    const [line] = await linesOf(t, {
      items: 1,
      options: {
        nice,
        cwd: folder,
        env: { MILLRACE_OWN: 'set', MILLRACE_TAKEN: undefined },
        execArgv: ['--no-warnings'],
        resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 12 },
      },
    })
    assert.equal(line.nice, nice)
    assert.equal(line.cwd, realpathSync(folder))
    assert.deepEqual([line.own, line.taken, line.inherited], ['set', undefined, 'there'])
    assert.ok(line.execArgv.includes('--no-warnings'), line.execArgv.join(' '))
    assert.ok(line.heapMb >= 96 && line.heapMb < 160, `${line.heapMb} MiB`)
    assert.notEqual(os.getPriority(), nice)
    assert.notEqual(process.cwd(), line.cwd)
  },
)

test('what no process can be started with is told, and names the stage', SLOW_START, async (t) => {
  const file = makeFolder(t)('lines')
  const failing = (options: NonNullable<EndsInProcessesOptions['options']>) =>
    watch(start(ends, { items: 1, file, options }, { startMs: 40_000 })).join()
  await assert.rejects(failing({ cwd: path.join(file, 'none') }), (error: PipelineError) => {
    assert.ok(error instanceof PipelineError)
    assert.match(error.message, /^stage "look" failed to open: .*cannot be started: .*no such cwd/)
    return true
  })
  await assert.rejects(failing({ execArgv: ['--no-such-flag'] }), (error: PipelineError<Failure>) => {
    assert.match(error.message, /^stage "look" died: its process exited with status 9/)
    assert.match(error.failures[0].error?.message ?? '', /bad option: --no-such-flag/)
    return true
  })
})
