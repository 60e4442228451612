// Many runs that fail, or are stopped, at random places: every one ends, and every item has one outcome.
import assert from 'node:assert/strict'
import { start } from '../../src/index.ts'
import chain, { type Fault } from '../fixtures/pipelines/chain.ts'
import { assertBalanced, reportOf } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'
import { turn } from '../support/turn.ts'

const RUNS = 200
const LONGEST_MS = 5_000
const STAGES = ['first', 'second', 'last'] as const
const FAULTS = ['throw', 'reject', 'exit', 'stack', 'sentinel', 'uncaught'] as const

test('200 runs with random capacities, faults and slow stages all end, none takes over 5 s', {
  deadlineMs: 900_000,
}, async (t) => {
  const seed = seedOfRun()
  t.diagnostic(`seed ${seed}`)
  const random = randomFrom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]
  for (let number = 0; number < RUNS; number++) {
    const capacity = 1 + Math.floor(random() * 64)
    const fault: Fault = { stage: pick(STAGES), at: 1 + Math.floor(random() * 120), how: pick(FAULTS) }
    const slow = { stage: pick(STAGES), ms: random() * 2 }
    const options = { items: 1e6, capacity, fault, ...(random() < 0.5 ? { slow } : {}) }
    const run = watch(start(chain, options))
    // From when it is let go: how long threads take to start from source is another matter.
    let begun = performance.now()
    run.on('state', (state) => {
      if (state === 'running') begun = performance.now()
    })
    const report = await reportOf(run)
    const about = `seed ${seed}, run ${number}: ${JSON.stringify(options)}`
    assert.ok(performance.now() - begun < LONGEST_MS, `${about} took ${performance.now() - begun} ms`)
    assert.equal(report.outcome, fault.how === 'sentinel' ? 'completed' : 'failed', about)
  }
})

test('a worker that is terminated at any moment loses nothing and doubles nothing', {
  deadlineMs: 900_000,
}, async (t) => {
  const seed = seedOfRun()
  t.diagnostic(`seed ${seed}`)
  const random = randomFrom(seed)
  for (let number = 0; number < 100; number++) {
    const capacity = 1 + Math.floor(random() * 8)
    const delivered = new SharedArrayBuffer(8)
    const run = watch(start(chain, { items: 1e9, capacity, delivered }, { abortMs: 500 }))
    const victim = Math.floor(random() * 4)
    let turns = Math.floor(random() * 200)
    run.on('state', async (state) => {
      if (state !== 'running') return
      while (turns-- > 0) await turn()
      run.stages[victim].life.triggerTerminate()
    })
    const report = await reportOf(run)
    const about = `seed ${seed}, run ${number}, stage ${victim}`
    assert.equal(report.outcome, 'failed', about)
    assert.equal(report.failures[0].code, 'MILLRACE_WORKER_DIED', about)
    assert.equal(report.failures[0].stage, report.stages[victim].name, about)
    assertBalanced(report)
    const [count, sum] = new Int32Array(delivered)
    const sink = report.stages[3]
    // The sink's own count may be ahead by the one in hand: that is what "in doubt" means.
    assert.ok(
      count === sink.out || (count === sink.out + 1 && sink.inDoubt === 1),
      `${about}: ${count} of ${sink.out}`,
    )
    assert.equal(sum, ((count * (count + 1)) / 2) | 0, `${about}: delivered in order, each once`)
  }
})
