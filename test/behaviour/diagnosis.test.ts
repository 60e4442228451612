// What waits on what: told while a run goes on, and whenever it does not end in its deadline.
import assert from 'node:assert/strict'
import { type Overdue, start } from '../../src/index.ts'
import chain from '../fixtures/pipelines/chain.ts'
import { reportOf } from '../support/balance.ts'
import { Command, fixture, lastLine } from '../support/command.ts'
import { test } from '../support/harness.ts'
import { until } from '../support/turn.ts'

test('a diagnosis names who holds up everybody else, as text and as data', async () => {
  const gate = new SharedArrayBuffer(4)
  const run = start(chain, { items: 1000, gate, capacity: 2 })
  // The sink blocks at item 1; every queue is full; everybody upstream waits for room.
  await until(
    () => run.stages[0]?.counters?.read === 7 && run.stages.slice(0, 3).every((one) => one.isAsleep(0)),
  )
  // The others are full before it has taken anything.
  await until(() => run.diagnosis.stages[3].workers[0].item === 1)
  const { diagnosis } = run
  assert.deepEqual(JSON.parse(JSON.stringify(diagnosis)), diagnosis)
  assert.deepEqual(diagnosis.findings, [
    'stage "last", worker 0 is in its own code, with item 1 in hand; 3 workers wait for it',
  ])
  const second = diagnosis.stages[2].workers[0]
  assert.equal(second.phase, 'held back')
  assert.equal(second.bell, 'asleep')
  assert.deepEqual(second.waitsFor, [
    { what: 'room', from: 'second', to: 'last', workers: [{ stage: 'last', worker: 0 }] },
  ])
  assert.deepEqual(
    diagnosis.queues.map(({ level, capacity }) => `${level} of ${capacity}`),
    ['2 of 2', '2 of 2', '2 of 2'],
  )
  const text = run.diagnose()
  assert.match(
    text,
    /worker 0: running, held back, asleep, item 3 in hand, .*waits for room in the queue to "last"/,
  )
  assert.match(text, /=> stage "last", worker 0 is in its own code/)
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  await run.join()
  assert.deepEqual(run.diagnosis.findings, [])
})

test('each deadline that passes is told with a diagnosis of that moment, and is in the report', async () => {
  const options = { items: 1000, capacity: 2, fault: { stage: 'second', at: 5, how: 'hang' } } as const
  const run = start(chain, options, { drainMs: 1, abortMs: 20 })
  const told: Overdue[] = []
  run.on('overdue', (overdue) => told.push(overdue))
  await until(() => run.stages[2]?.counters?.inHand === 5)
  run.drain()
  const { overdue } = await reportOf(run)
  assert.deepEqual(overdue, told)
  assert.deepEqual(
    told.map(({ deadline, afterMs }) => [deadline, afterMs]),
    [
      ['drainMs', 1],
      ['abortMs', 20],
    ],
  )
  for (const { diagnosis } of told) {
    const { item, phase } = diagnosis.stages[2].workers[0]
    assert.deepEqual({ item, phase }, { item: 5, phase: 'working' })
  }
  assert.equal(told[1].diagnosis.state, 'aborting')
})

test('the command line tells what waits on what when it is asked by SIGQUIT, and when a deadline passes', {
  skip: process.platform === 'win32' ? 'Windows has no SIGQUIT' : false,
}, async (t) => {
  const asked = new Command(t, [
    'run',
    fixture('ticks.ts'),
    '--hang-at',
    '3',
    '--deadline-ms',
    '50',
    '--json',
  ])
  await asked.shows('stdout', '2\n')
  asked.child.kill('SIGQUIT')
  await asked.shows('stderr', 'millrace: what waits on what:')
  asked.child.kill('SIGINT')
  await asked.shows('stderr', 'millrace: not drained after 50 ms, aborting:')
  const end = await asked.end
  assert.equal(end.code, 130)
  assert.equal(lastLine(end).overdue?.[0].deadline, 'drainMs')
})
