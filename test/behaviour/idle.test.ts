// Nothing waits by polling: an idle run wakes nobody.
import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import chain from '../fixtures/pipelines/chain.ts'
import { test, watch } from '../support/harness.ts'
import { until } from '../support/turn.ts'

const IDLE_MS = 1000

test('a run that waits for its slow sink wakes up nobody for a second', async () => {
  const gate = new SharedArrayBuffer(4)
  const run = watch(start(chain, { items: 1000, gate, capacity: 2 }))
  // The sink blocks at item 1, every queue is full, and everyone upstream has the next item in hand and sleeps.
  await until(() => run.stages[0]?.counters?.read === 7 && isQuiet(run.diagnose(), 3))
  const before = wakeUps(run)
  // The second that is measured.
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const woken = wakeUps(run) - before
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  await run.join()
  assert.equal(woken, 0)
})

test('a run that waits for its input wakes up nobody for a second', async () => {
  let end = () => {}
  async function* silent() {
    yield 1
    await new Promise<void>((resolve) => {
      end = resolve
    })
  }
  const { default: forms } = await import('../fixtures/pipelines/forms.ts')
  const run = watch(start(forms, { form: 'sync', on: 'thread' }, { input: silent() }))
  const outputs = run[Symbol.asyncIterator]()
  assert.equal((await outputs.next()).value, 10)
  await until(() => isQuiet(run.diagnose(), 2))
  const before = wakeUps(run)
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const woken = wakeUps(run) - before
  end()
  assert.equal((await outputs.next()).done, true)
  await run.join()
  assert.equal(woken, 0)
})

function isQuiet(diagnosis: string, asleep: number): boolean {
  return (diagnosis.match(/asleep/g)?.length ?? 0) >= asleep
}

/** Wake-ups of every worker of the run so far. */
function wakeUps(run: ReturnType<typeof start>): number {
  let sum = 0
  for (const stage of run.stages) {
    for (const { memory } of stage.inputs) sum += memory.doorbell('consumer', 0).wakeUps
    for (const { memory } of stage.outputs) sum += memory.doorbell('producer', 0).wakeUps
  }
  return sum
}
