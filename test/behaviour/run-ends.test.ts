// How a run of four threads ends, for every cause; after each, every item has one outcome and nothing is left.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PipelineError, pipeline, type Report, type StageContext, start } from '../../src/index.ts'
import chain, { type Fault } from '../fixtures/pipelines/chain.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const STAGES = ['first', 'second', 'last'] as const

test('a run whose input ends completes, and delivers every item in order', async () => {
  const delivered = new SharedArrayBuffer(8)
  const report = await reportOf(start(chain, { items: 1000, delivered }))
  assert.equal(report.outcome, 'completed')
  assert.deepEqual([...new Int32Array(delivered)], [1000, 500_500])
  assert.deepEqual(
    report.stages.map(({ in: taken, out }) => [taken, out]),
    [
      [undefined, 1000],
      [1000, 1000],
      [1000, 1000],
      [1000, 1000],
    ],
  )
  assert.equal(report.schema, 'millrace.report/1')
  assert.ok(report.bottleneck !== null)
})

test('a run without any item completes', async () => {
  const report = await reportOf(start(chain, { items: 0 }))
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(
    report.stages.map((stage) => stage.out),
    [0, 0, 0, 0],
  )
})

for (const stage of STAGES) {
  test(`an error in stage "${stage}" fails the run, which names stage, item and cause`, async () => {
    const run = watch(start(chain, { items: 1000, fault: { stage, at: 100, how: 'throw' } }))
    const error = (await run.join().then(
      () => undefined,
      (reason) => reason,
    )) as PipelineError
    assert.ok(error instanceof PipelineError)
    assert.equal(error.code, 'MILLRACE_RUN_FAILED')
    assert.equal(error.message, `stage "${stage}" failed at item 100: TypeError: no good: 100`)
    const report = await reportOf(run)
    assert.equal(report.outcome, 'failed')
    assert.equal(report.failures.length, 1)
    const [failure] = report.failures
    assert.deepEqual(
      [failure.code, failure.stage, failure.worker, failure.item],
      ['MILLRACE_STAGE_FAILED', stage, 0, 100],
    )
    assert.match(failure.error?.stack ?? '', /TypeError: no good: 100\n.*chain\.ts/)
    assert.deepEqual(failure.error?.fields, { code: 'E_FIXTURE' })
    assert.equal((failure.error?.cause as { message: string } | undefined)?.message, 'the cause')
    assert.equal(stageOf(report, stage).failed, 1)
  })
}

const FAULTS: { how: Fault['how']; code: string; message: RegExp; memoryMb?: number }[] = [
  {
    how: 'reject',
    code: 'MILLRACE_STAGE_FAILED',
    message: /^stage "second" failed at item 50: Error: rejected$/,
  },
  { how: 'throw-string', code: 'MILLRACE_STAGE_FAILED', message: /no Error was thrown: just text$/ },
  { how: 'stack', code: 'MILLRACE_STAGE_FAILED', message: /RangeError: Maximum call stack/ },
  {
    how: 'function',
    code: 'MILLRACE_NOT_CLONEABLE',
    message: /failed at item 50: an item cannot travel: function$/,
  },
  { how: 'nested-function', code: 'MILLRACE_NOT_CLONEABLE', message: /function at \.deep\[0\]\.callback$/ },
  { how: 'symbol', code: 'MILLRACE_NOT_CLONEABLE', message: /cannot travel: symbol$/ },
  {
    how: 'exit',
    code: 'MILLRACE_WORKER_DIED',
    message: /died at item 50: its thread ended with exit code 0 before/,
  },
  {
    how: 'uncaught',
    code: 'MILLRACE_WORKER_DIED',
    message: /died of an uncaught error at item 50: Error: out of/,
  },
  { how: 'hang-async', code: 'MILLRACE_WORKER_DIED', message: /the promise it waits for can never settle/ },
  {
    how: 'memory',
    code: 'MILLRACE_WORKER_OUT_OF_MEMORY',
    message: /ran out of memory at item 50/,
    memoryMb: 24,
  },
]

for (const { how, code, message, memoryMb } of FAULTS) {
  test(`a stage that does this fails the run, by its code: ${how} -> ${code}`, async () => {
    const limits = memoryMb === undefined ? {} : { memoryMb }
    const report = await reportOf(
      start(chain, { items: 1000, fault: { stage: 'second', at: 50, how }, ...limits }),
    )
    assert.equal(report.outcome, 'failed')
    assert.equal(report.failures[0].code, code)
    assert.match(report.failures[0].message, message)
    assert.equal(stageOf(report, 'second').out, 49)
  })
}

test('a sink that dies with an item in hand leaves that item in doubt, and only that one', async () => {
  const report = await reportOf(start(chain, { items: 1000, fault: { stage: 'last', at: 50, how: 'exit' } }))
  const last = stageOf(report, 'last')
  assert.deepEqual([last.out, last.inDoubt], [49, 1])
})

test('a stage that returns SENTINEL ends the stream: downstream gets what came before, upstream stops', async () => {
  const delivered = new SharedArrayBuffer(8)
  const fault: Fault = { stage: 'first', at: 50, how: 'sentinel' }
  const report = await reportOf(start(chain, { items: 1e9, fault, delivered }))
  assert.equal(report.outcome, 'completed')
  assert.deepEqual([...new Int32Array(delivered)], [49, (49 * 50) / 2])
})

test('a sink that returns SENTINEL ends the run', async () => {
  const report = await reportOf(
    start(chain, { items: 1e9, fault: { stage: 'last', at: 50, how: 'sentinel' } }),
  )
  assert.equal(report.outcome, 'completed')
  assert.equal(stageOf(report, 'last').out, 50)
})

test('a drain lets everything that was read reach the sink', async () => {
  const run = start(chain, { items: 1e9 })
  run.on('state', (state) => state === 'running' && run.drain('enough'))
  const report = await reportOf(run)
  assert.equal(report.outcome, 'drained')
  assert.equal(report.reason, 'enough')
  assert.equal(stageOf(report, 'last').out, stageOf(report, 'numbers').out)
})

for (const how of ['the reason of ctx.signal', 'an AbortError', 'another error'] as const) {
  test(`a source that is waiting when the drain begins may end by throwing ${how}`, async () => {
    let isWaiting = false
    async function* read({ signal }: StageContext) {
      yield 1
      isWaiting = true
      if (how === 'an AbortError') await once(new EventEmitter(), 'never', { signal })
      await new Promise((_, reject) => {
        const error = () => (how === 'another error' ? new Error('no good') : signal.reason)
        signal.addEventListener('abort', () => reject(error()))
      })
    }
    const options = { on: 'loop' } as const
    const run = watch(
      start(
        pipeline('wait')
          .source('read', read, options)
          .sink('end', () => {}, options),
      ),
    )
    await until(() => isWaiting)
    run.drain()
    const report = await reportOf(run)
    assert.equal(report.outcome, how === 'another error' ? 'failed' : 'drained')
    assert.equal(report.stages[1].out, 1)
  })
}

test('a source that is still being made when the drain begins may end by throwing what ctx.signal gives', async () => {
  let isWaiting = false
  async function make({ signal }: StageContext): Promise<number[]> {
    isWaiting = true
    await once(new EventEmitter(), 'never', { signal })
    return []
  }
  const options = { on: 'loop' } as const
  const ended = pipeline('make')
    .source('make', make, options)
    .sink('end', () => {}, options)
  const run = watch(start(ended))
  await until(() => isWaiting)
  run.drain()
  const { outcome, failures } = await reportOf(run)
  assert.deepEqual([outcome, failures], ['drained', []])
})

test('a drain that takes too long becomes an abort', async () => {
  const gate = new SharedArrayBuffer(4)
  const run = start(chain, { items: 1e9, gate }, { drainMs: 50, abortMs: 50 })
  await until(() => run.stages.at(-1)?.counters?.inHand === 1)
  run.drain()
  await until(() => run.state === 'aborting')
  open(gate)
  const report = await reportOf(run)
  assert.equal(report.outcome, 'aborted')
  assert.match(report.reason ?? '', /drain took longer than 50 ms/)
})

test('an abort counts what is left as abandoned', async () => {
  const gate = new SharedArrayBuffer(4)
  const run = watch(start(chain, { items: 1e9, gate, capacity: 3 }))
  await until(() => run.stages[2]?.counters?.inHand === 4 && run.stages[3]?.counters?.inHand === 1)
  run.abort('no more')
  open(gate)
  const report = await reportOf(run)
  assert.equal(report.outcome, 'aborted')
  assert.equal(report.reason, 'no more')
  // The sink had item 1 in hand and finished it; two more were in its queue of 3.
  assert.deepEqual([stageOf(report, 'last').out, stageOf(report, 'last').abandoned], [1, 2])
})

test('a stage in an endless loop is terminated after abortMs, and named', async () => {
  const fault: Fault = { stage: 'second', at: 5, how: 'hang' }
  const run = watch(start(chain, { items: 1000, fault }, { abortMs: 100 }))
  await until(() => run.stages[2]?.counters?.inHand === 5)
  run.abort()
  const report = await reportOf(run)
  assert.equal(report.outcome, 'aborted')
  assert.deepEqual(
    report.failures.map(({ code, stage, item }) => [code, stage, item]),
    [['MILLRACE_WORKER_TERMINATED', 'second', 5]],
  )
})

test('a stage stuck in native code does not keep the run from ending', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  const path = join(folder, 'fifo')
  execFileSync('mkfifo', [path])
  try {
    const fault: Fault = { stage: 'first', at: 1, how: 'fifo', path }
    const run = watch(start(chain, { items: 1000, fault }, { abortMs: 50, terminateMs: 50 }))
    await until(() => run.stages[1]?.counters?.inHand === 1)
    run.abort()
    const report = await run.join()
    assert.equal(report.outcome, 'aborted')
    assert.deepEqual(
      report.failures.map(({ code, stage, item }) => [code, stage, item]),
      [['MILLRACE_WORKER_STUCK', 'first', 1]],
    )
  } finally {
    // Lets the thread go: the read of the FIFO ends, and the thread with it.
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK))
    rmSync(folder, { recursive: true })
  }
})

test('an AbortSignal aborts the run, also before it has started', async () => {
  const report = await reportOf(
    start(chain, { items: 1e9 }, { signal: AbortSignal.abort(new Error('changed my mind')) }),
  )
  assert.equal(report.outcome, 'aborted')
  assert.equal(report.reason, 'changed my mind')
  const controller = new AbortController()
  const run = start(chain, { items: 1e9 }, { signal: controller.signal })
  run.on('state', (state) => state === 'running' && controller.abort())
  assert.equal((await reportOf(run)).outcome, 'aborted')
})

test('leaving an `await using` block aborts the run and waits for its end', async () => {
  const run = watch(start(chain, { items: 1e9 }))
  await run[Symbol.asyncDispose]()
  assert.equal(run.state, 'ended')
  assert.equal((await run.join()).outcome, 'aborted')
})

/** Lets the sink go on. */
function open(gate: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
}

function stageOf(report: Report, name: string) {
  const stage = report.stages.find((candidate) => candidate.name === name)
  assert.ok(stage !== undefined)
  return stage
}
