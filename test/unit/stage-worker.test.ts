/** A worker through its lives, with lives that the test ends as it likes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deferred } from '../../src/deferred.ts'
import type { OnFailure, ToWorker, WorkerEnd, WorkerLife } from '../../src/host/worker-life.ts'
import type { Verdict } from '../../src/host/worker-task.ts'
import {
  allocateCounters,
  DONE,
  READY,
  RUNNING,
  WAITING,
  WORKING,
  WorkerCounters,
} from '../../src/observe/counters.ts'
import type { Failure } from '../../src/observe/failure.ts'
import { RestartBudget } from '../../src/run/restart-budget.ts'
import { StageWorker } from '../../src/run/stage-worker.ts'
import { Judge } from '../../src/run/verdict.ts'
import { turn, until } from '../support/turn.ts'

const DEATH: Failure = {
  code: 'MILLRACE_WORKER_DIED',
  stage: 'work',
  worker: 0,
  message: 'stage "work" died: its thread ended',
}

class FakeLife implements WorkerLife {
  readonly threadId = 99
  readonly #ready = new Deferred()
  readonly #ended = new Deferred<WorkerEnd>()
  readonly ready = this.#ready.promise
  readonly ended = this.#ended.promise
  readonly number: number
  readonly verdict: Verdict | undefined
  readonly fail: OnFailure
  readonly #counters: WorkerCounters
  readonly told: ToWorker[] = []
  isStarted = false
  isTerminated = false

  constructor(counters: WorkerCounters, number: number, verdict: Verdict | undefined, fail: OnFailure) {
    this.#counters = counters
    this.number = number
    this.verdict = verdict
    this.fail = fail
  }

  async open(): Promise<void> {
    this.#counters.life = READY
    this.#ready.resolve()
    await turn()
    if (this.isStarted) this.#counters.life = RUNNING
  }

  async end(how: 'done' | 'died'): Promise<void> {
    if (how === 'done') this.#counters.life = DONE
    this.#ready.resolve()
    this.#ended.resolve(how === 'done' ? { how } : { how, death: DEATH })
    await turn()
  }

  triggerStart(): void {
    this.isStarted = true
  }
  tell(message: ToWorker): void {
    this.told.push(message)
  }
  triggerTerminate(): void {
    this.isTerminated = true
  }
}

function makeWorker(
  options: { limit?: number; delayMs?: number; isParked?: () => boolean; noBudget?: boolean } = {},
) {
  const counters = new WorkerCounters(allocateCounters(1), 0)
  const lives: FakeLife[] = []
  const told: string[] = []
  let mayRestart = true
  const { limit = 2, delayMs = 0 } = options
  const budget = new RestartBudget({ limit, withinMs: 60_000, delayMs, factor: 1, maxDelayMs: 60_000 })
  const worker = new StageWorker(
    {
      stage: 'work',
      number: 0,
      counters,
      start: (life, verdict, onFailure) => {
        lives.push(new FakeLife(counters, life, verdict, onFailure))
        return lives[lives.length - 1]
      },
      budget: options.noBudget ? undefined : budget,
      judge: new Judge({ poisonAfter: 2, attempts: 1 }),
      mayRestart: () => mayRestart,
      isParked: options.isParked ?? (() => false),
      park: () => told.push('parked'),
      leaveQueues: () => told.push('queues left'),
      ringAll: () => {},
    },
    {
      failed: ({ code, item }, isItem) => told.push(isItem ? `item ${item} failed` : code),
      ready: () => {},
      restarting: (_, delay) => told.push(`restarting in ${delay}`),
      ended: () => told.push('ended'),
    },
  )
  const stopRestarts = (): void => {
    mayRestart = false
  }
  return { worker, counters, lives, told, stopRestarts }
}

/** Launched, open, through the gate. */
async function running(options: Parameters<typeof makeWorker>[0] = {}) {
  const made = makeWorker(options)
  made.worker.launch()
  made.worker.triggerStart()
  await made.lives[0].open()
  assert.equal(made.worker.state, 'running')
  return made
}

test('a worker whose gate opened before its word of being ready came is restarted like any other', async () => {
  const { worker, counters, lives, told } = makeWorker()
  worker.launch()
  // Another's message had the manager look, and it saw the mark.
  counters.life = READY
  worker.triggerStart()
  assert.ok(lives[0].isStarted)
  counters.life = RUNNING
  await lives[0].end('died')
  assert.deepEqual(told, ['restarting in 0'])
  worker.triggerTerminate()
})

for (const how of ['triggerTerminate', 'triggerReplace'] as const) {
  test(`it is not terminated while its thread is asked for something: ${how}`, async () => {
    const { worker, lives } = await running()
    const [first, second] = [new Deferred(), new Deferred()]
    worker.whileAsked(first.promise)
    worker.whileAsked(second.promise)
    worker[how](50)
    first.resolve()
    await turn()
    assert.equal(lives[0].isTerminated, false)
    second.reject(new Error('no answer'))
    await turn()
    assert.equal(lives[0].isTerminated, true)
    await lives[0].end('died')
    worker.triggerTerminate()
  })
}

test('it waits at the gate until it is let through', async () => {
  const { worker, lives } = makeWorker()
  worker.launch()
  await lives[0].open()
  assert.deepEqual([worker.state, lives[0].isStarted], ['ready', false])
  worker.triggerStart()
  assert.equal(lives[0].isStarted, true)
})

test('a worker that died lives again, is let through at once, and keeps its queues', async () => {
  const { worker, lives, told } = await running()
  await lives[0].end('died')
  await until(() => lives.length === 2)
  await lives[1].open()
  assert.deepEqual([worker.state, lives[1].number, lives[1].isStarted], ['running', 2, true])
  assert.deepEqual(told, ['restarting in 0'])
  await lives[1].end('done')
  assert.deepEqual([worker.state, worker.restarts], ['done', 1])
  assert.deepEqual(told, ['restarting in 0', 'ended'])
})

test('what a life had in hand when it died is in no hand of the next one before that takes it up', async () => {
  const { worker, counters, lives } = await running()
  counters.take(7, 8)
  assert.equal(counters.phase, WORKING)
  await lives[0].end('died')
  await until(() => lives.length === 2)
  await lives[1].open()
  assert.deepEqual([worker.state, counters.ticketInHand, counters.phase], ['running', 7, WAITING])
  await lives[1].end('done')
})

test('when the budget is used up its last death is told, and its queues are left', async () => {
  const { worker, lives, told } = await running({ limit: 1 })
  await lives[0].end('died')
  await until(() => lives.length === 2)
  await lives[1].open()
  await lives[1].end('died')
  assert.equal(worker.state, 'died')
  assert.deepEqual(told, ['restarting in 0', 'MILLRACE_WORKER_DIED', 'queues left', 'ended'])
})

test('a worker that was never ready is not started again', async () => {
  const { worker, lives, told } = makeWorker()
  worker.launch()
  await lives[0].end('died')
  assert.equal(worker.state, 'died')
  assert.deepEqual(told, ['MILLRACE_WORKER_DIED', 'queues left', 'ended'])
})

test('a worker that told why it fails is not started again, and its death is no other failure', async () => {
  const { lives, told } = await running()
  lives[0].fail({ ...DEATH, code: 'MILLRACE_STAGE_FAILED' }, false)
  await lives[0].end('died')
  assert.deepEqual(told, ['MILLRACE_STAGE_FAILED', 'queues left', 'ended'])
})

test('an item that failed costs it nothing', async () => {
  const { worker, lives, told } = await running()
  lives[0].fail({ ...DEATH, code: 'MILLRACE_STAGE_FAILED', item: 3 }, true)
  await lives[0].end('died')
  assert.deepEqual(told, ['item 3 failed', 'restarting in 0'])
  worker.cancelRestart()
})

test('the item that it had in hand when it died gets a verdict', async () => {
  const { worker, counters, lives } = await running({ limit: 9 })
  for (let death = 0; death < 2; death++) {
    counters.take(7, 70)
    await lives[death].end('died')
    await until(() => lives.length === death + 2)
    await lives[death + 1].open()
  }
  assert.deepEqual(lives[1].verdict, { ticket: 7, attempts: 1, alone: 0 })
  assert.equal(lives[2].verdict?.fail?.code, 'MILLRACE_POISON_ITEM')
  await lives[2].end('done')
  assert.equal(worker.state, 'done')
})

test('a worker that is replaced because of its item uses up no restart', async () => {
  const { worker, counters, lives, told } = await running({ limit: 0 })
  counters.take(7, 70)
  worker.triggerReplace(50)
  assert.equal(lives[0].isTerminated, true)
  await lives[0].end('died')
  await until(() => lives.length === 2)
  assert.equal(lives[1].verdict?.fail?.code, 'MILLRACE_ITEM_TIMEOUT')
  assert.deepEqual(told, ['restarting in 0'])
  await lives[1].end('done')
})

test('without restarts the item that took too long ends the run, by its code', async () => {
  const { worker, counters, lives, told } = await running({ noBudget: true })
  counters.take(7, 70)
  worker.triggerReplace(50)
  await lives[0].end('died')
  assert.deepEqual(told, ['MILLRACE_ITEM_TIMEOUT', 'queues left', 'ended'])
})

test('while it rests an abort ends it without another failure', async () => {
  const { worker, lives, told, stopRestarts } = await running({ delayMs: 60_000 })
  await lives[0].end('died')
  assert.equal(worker.state, 'resting')
  stopRestarts()
  worker.cancelRestart()
  assert.equal(worker.state, 'died')
  assert.deepEqual(told, ['restarting in 60000', 'queues left', 'ended'])
  assert.equal(lives.length, 1)
})

test('a worker that has retired is absent, and can be launched again', async () => {
  let isParked = true
  const { worker, lives, counters } = await running({ isParked: () => isParked })
  await lives[0].end('done')
  assert.deepEqual([worker.state, worker.hasEnded, worker.isAbsent], ['absent', false, true])
  await worker.over
  isParked = false
  worker.launch()
  assert.equal(counters.life === DONE, false)
  assert.equal(lives[1].number, 2)
  await lives[1].open()
  await lives[1].end('done')
  assert.equal(worker.state, 'done')
})

test('a thread that cannot be started is a failure, not an exception', async () => {
  const { worker, told } = makeWorker()
  const broken = new StageWorker(
    {
      stage: 'work',
      number: 3,
      counters: worker.counters,
      start: () => {
        throw new Error('no more threads')
      },
      budget: undefined,
      judge: new Judge({ poisonAfter: 1, attempts: 1 }),
      mayRestart: () => true,
      isParked: () => false,
      park: () => {},
      leaveQueues: () => {},
      ringAll: () => {},
    },
    {
      failed: ({ message }) => told.push(message),
      ready: () => {},
      restarting: () => {},
      ended: () => told.push('ended'),
    },
  )
  broken.launch()
  assert.deepEqual(told, ['stage "work" could not start: Error: no more threads', 'ended'])
  await broken.ready
  await broken.over
})

test('a worker that dies after it has given its ends up has retired', async () => {
  let isParked = false
  const { worker, counters, lives, told } = await running({ isParked: () => isParked })
  isParked = true
  await lives[0].end('died')
  assert.deepEqual([worker.isAbsent, worker.restarts, counters.launches], [true, 0, 1])
  assert.deepEqual(told, ['parked', 'ended'])
})
