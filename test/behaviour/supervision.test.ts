// Workers that die, hang, come and go while the run goes on.
import assert from 'node:assert/strict'
import { type Report, type StuckItem, start, type WorkerRestart } from '../../src/index.ts'
import deadlyInTwo, { DEADLY } from '../fixtures/pipelines/deadly-in-two.ts'
import deadlySink from '../fixtures/pipelines/deadly-sink.ts'
import supervised, { type SupervisedOptions } from '../fixtures/pipelines/supervised.ts'
import { reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

function makeGate(): SharedArrayBuffer {
  return new SharedArrayBuffer(4)
}

function open(gate: SharedArrayBuffer): void {
  const words = new Int32Array(gate)
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
}

function stageOf(report: Report, name: string): Report['stages'][number] {
  const stage = report.stages.find((candidate) => candidate.name === name)
  assert.ok(stage)
  return stage
}

function begin(options: SupervisedOptions, settings = {}) {
  const run = watch(start(supervised, options, settings))
  const restarts: WorkerRestart[] = []
  run.on('restart', (restart) => restarts.push(restart))
  const stageNamed = (name: string) => run.stages.find((stage) => stage.name === name)
  return { run, restarts, stageNamed }
}

test('a worker that dies is started again, and nothing is lost or doubled', async () => {
  const { run, restarts } = begin({ items: 200, deadly: [3, 50, 51, 200] })
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(report.failures, [])
  assert.deepEqual(
    restarts.map(({ stage, worker, item }) => [stage, worker, item]),
    [3, 50, 51, 200].map((item) => ['work', 0, item]),
  )
  const { out, done, restarts: counted } = stageOf(report, 'work')
  assert.deepEqual([out, done, counted], [200, 200, 4])
  assert.equal(stageOf(report, 'end').out, 200)
})

test('a sink that dies is started again with the item that it had in hand', async () => {
  const report = await reportOf(begin({ items: 20, deadlyInSink: 7 }).run)
  assert.equal(report.outcome, 'completed')
  const { out, inDoubt, restarts } = stageOf(report, 'end')
  assert.deepEqual([out, inDoubt, restarts], [20, 0, 1])
})

for (const batch of [1, 2]) {
  test(`what a sink has done does not come again, though an item before it is not done: units of ${batch}`, async () => {
    const items = 4 * batch
    const gate = makeGate()
    const delivered = new SharedArrayBuffer(4 * (items + 1))
    const run = watch(start(deadlySink, { items, gate, delivered, batch }))
    const sink = () => run.stages.find(({ name }) => name === 'end')
    await until(() => sink()?.account.done === 3 * batch)
    open(gate)
    const report = await reportOf(run)
    assert.equal(report.outcome, 'completed')
    assert.deepEqual([...new Int32Array(delivered)], [0, ...new Array(items).fill(1)])
    const { done, restarts } = stageOf(report, 'end')
    assert.deepEqual([done, restarts], [items, 1])
  })
}

test('an item that kills its worker each time fails, and is named', async () => {
  const { run, restarts } = begin({ items: 20, poison: [5], options: { poisonAfter: 2, onError: 'skip' } })
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(
    report.failures.map(({ code, stage, item }) => [code, stage, item]),
    [['MILLRACE_POISON_ITEM', 'work', 5]],
  )
  assert.equal(restarts.length, 2)
  assert.deepEqual([stageOf(report, 'work').failed, stageOf(report, 'end').out], [1, 19])
})

test('an item that kills its worker each time ends the run, if that is how failures end', async () => {
  const report = await reportOf(begin({ items: 20, poison: [5], options: { poisonAfter: 2 } }).run)
  assert.equal(report.outcome, 'failed')
  assert.equal(report.failures[0].code, 'MILLRACE_POISON_ITEM')
})

test('too many deaths end the run with the last of them', async () => {
  const options = { restart: { limit: 2, delayMs: 0 } }
  const report = await reportOf(begin({ items: 200, deadly: [3, 50, 51, 100], options }).run)
  assert.equal(report.outcome, 'failed')
  assert.deepEqual(
    report.failures.map(({ code, item }) => [code, item]),
    [['MILLRACE_WORKER_DIED', 51]],
  )
  assert.equal(stageOf(report, 'work').restarts, 2)
})

test('a worker that rests when the run is aborted does not come back', async () => {
  const options = { restart: { delayMs: 600_000, maxDelayMs: 600_000 } }
  const { run, restarts } = begin({ items: 20, deadly: [5], options })
  await until(() => restarts.length === 1)
  run.abort('enough')
  const report = await reportOf(run)
  assert.deepEqual([report.outcome, report.reason, report.failures], ['aborted', 'enough', []])
})

test('an item that never ends is replaced with its worker after timeoutMs, and fails', async () => {
  const { run } = begin({ items: 20, endless: 5, options: { timeoutMs: 50, onError: 'skip', workers: 2 } })
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.deepEqual(
    report.failures.map(({ code, stage, item }) => [code, stage, item]),
    [['MILLRACE_ITEM_TIMEOUT', 'work', 5]],
  )
  assert.equal(stageOf(report, 'end').out, 19)
})

test('a worker that was replaced is not replaced again while the item is not in its hand: here the run is paused', async () => {
  const options = { timeoutMs: 20, onError: 'skip' } as const
  const { run, restarts } = begin({ items: 20, endless: 5, options })
  await new Promise<void>((resolve) => {
    run.on('restart', () => {
      run.pause()
      resolve()
    })
  })
  const work = run.stages.find(({ name }) => name === 'work')
  await until(() => work?.workerList[0].state === 'running')
  // Several times what it may have an item in hand for: that is what is tried.
  await new Promise((resolve) => setTimeout(resolve, 400))
  run.resume()
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.equal(restarts.length, 1)
  assert.equal(stageOf(report, 'end').out, 19)
})

test('an item that is in hand for too long is told of, with the stack of its thread', async () => {
  const { run } = begin({ items: 20, endless: 5, options: { stuckAfterMs: 40 } }, { abortMs: 0 })
  const stuck = await new Promise<StuckItem>((resolve) => void run.on('stuck', resolve))
  assert.deepEqual([stuck.stage, stuck.worker, stuck.item], ['work', 0, 5])
  assert.ok(stuck.sinceMs >= 40)
  assert.equal(stuck.queues.length, 2)
  assert.match(stuck.stack ?? '', /supervised\.[jt]s/)
  assert.match(run.diagnose(), /stuck: stage "work", worker 0, has had item 5 in hand/)
  run.abort()
  assert.equal((await reportOf(run)).outcome, 'aborted')
})

test('workers are added while it runs, and take their part', async () => {
  const [gate, begun] = [makeGate(), new SharedArrayBuffer(16)]
  const { run, stageNamed } = begin({ items: 400, gate, begun, options: { maxWorkers: 3, capacity: 6 } })
  await until(() => new Int32Array(begun)[0] === 1)
  await stageNamed('work')?.setWorkers(3)
  open(gate)
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  const work = stageOf(report, 'work')
  assert.deepEqual([work.workers, work.out, work.perWorker?.length], [3, 400, 3])
  assert.ok([...new Int32Array(begun)].slice(0, 3).every((items) => items > 0))
  assert.equal(stageOf(report, 'end').out, 400)
})

test('workers that are taken away finish what they have; they may come back', async () => {
  const [gate, begun] = [makeGate(), new SharedArrayBuffer(16)]
  const options = { items: 600, gate, begun, options: { workers: 3, capacity: 12 } }
  const { run, stageNamed } = begin(options)
  await until(() => [...new Int32Array(begun)].slice(0, 3).every((items) => items > 0))
  const work = stageNamed('work')
  const fewer = work?.setWorkers(1)
  open(gate)
  await fewer
  assert.equal(work?.workerList.filter((worker) => !worker.isAbsent && !worker.hasEnded).length ?? 0, 1)
  await work?.setWorkers(2)
  const report = await reportOf(run)
  assert.equal(report.outcome, 'completed')
  assert.equal(stageOf(report, 'end').out, 600)
})

test('of several items in hand, the one that ends its worker is found in a few lives', async () => {
  const items = 30
  const run = watch(start(deadlyInTwo, { items }))
  const out: unknown[] = []
  for await (const number of run) out.push(number)
  const report = await run.join()
  const all = Array.from({ length: items }, (_, at) => at + 1).flatMap((number) => [number, -number])
  assert.deepEqual(
    out.map(Number).sort((one, other) => one - other),
    all.sort((one, other) => one - other),
  )
  assert.ok(out.includes(DEADLY))
  const { restarts = 0 } = stageOf(report, 'work')
  assert.ok(restarts >= 1 && restarts <= 2, `${restarts} restarts`)
})

test('a number of workers that cannot be is refused, and names the stage', async () => {
  const gate = makeGate()
  const { run, stageNamed } = begin({ items: 10, gate, options: { maxWorkers: 2 } })
  await until(() => run.state === 'running')
  const work = stageNamed('work')
  for (const workers of [0, 3, 1.5, Number.NaN]) {
    await assert.rejects(async () => work?.setWorkers(workers), {
      code: 'MILLRACE_INVALID_OPTION',
      message: /^stage "work": workers must be an integer from 1 to 2, its maxWorkers, got /,
    })
  }
  await assert.rejects(async () => stageNamed('numbers')?.setWorkers(2), { code: 'MILLRACE_INVALID_OPTION' })
  open(gate)
  assert.equal((await reportOf(run)).outcome, 'completed')
})

test('a paused run takes no item; it goes on where it was', async () => {
  const [gate, begun] = [makeGate(), new SharedArrayBuffer(16)]
  const { run, stageNamed } = begin({ items: 300, gate, begun, options: { capacity: 2 } })
  await until(() => new Int32Array(begun)[0] === 1)
  run.pause()
  assert.equal(run.isPaused, true)
  open(gate)
  await until(() => stageNamed('work')?.counters?.settled === 1 && stageNamed('work')?.isAsleep(0) === true)
  assert.equal(new Int32Array(begun)[0], 1)
  assert.match(run.diagnose(), /running, and paused/)
  run.resume()
  const report = await reportOf(run)
  assert.deepEqual([run.isPaused, report.outcome, stageOf(report, 'end').out], [false, 'completed', 300])
})

test('a paused run can be drained and aborted', async () => {
  for (const how of ['drain', 'abort'] as const) {
    const gate = makeGate()
    const { run } = begin({ items: 1e9, gate })
    run.pause()
    await until(() => run.state === 'running')
    open(gate)
    run[how]()
    assert.equal(run.isPaused, false)
    assert.equal((await reportOf(run)).outcome, how === 'drain' ? 'drained' : 'aborted')
  }
})
