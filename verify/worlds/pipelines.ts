/**
 * Pipelines: planned, wired and run by shipped code. Each worker's thread runs the worker loop of every host, over the queues,
 * counters and stop event of a real plan; a worker that may die has a supervisor, which is the shipped StageWorker.
 */

import { Deferred } from '../../src/deferred.ts'
import type { Blueprint, StageDefinition } from '../../src/define/pipeline.ts'
import { WorkerCore } from '../../src/host/worker-core.ts'
import { WorkerLoop } from '../../src/host/worker-loop.ts'
import type { Verdict } from '../../src/host/worker-task.ts'
import { DONE, WorkerCounters } from '../../src/observe/counters.ts'
import type { Failure } from '../../src/observe/failure.ts'
import { closeEnds } from '../../src/plan/close-ends.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { InputReader } from '../../src/queue/input-reader.ts'
import { GONE, PARKED, QueueMemory } from '../../src/queue/queue-memory.ts'
import { QueueWriter } from '../../src/queue/queue-writer.ts'
import { endsOf, makeTask, type StageConnections } from '../../src/run/connections.ts'
import { RestartBudget } from '../../src/run/restart-budget.ts'
import type { PipelineStage } from '../../src/run/stage.ts'
import { StageWorker } from '../../src/run/stage-worker.ts'
import { Judge } from '../../src/run/verdict.ts'
import { type Wiring, wirePlan } from '../../src/run/wire.ts'
import type { ThreadSpec } from '../explorer/threads.ts'
import {
  begin,
  checkpoint,
  constant,
  holdResult,
  letGo,
  mergeAt,
  nameBoard,
  nameQueue,
  note,
  openGate,
  sayReady,
  untilEnd,
  untilReady,
} from './threads.ts'

/**
 * Calls at which a thread may be found where it has been before: whoever makes them has no result of an operation in its
 * variables that is not in its objects too.
 */
mergeAt(InputReader, 'poll', 'isRetired', 'commit', 'take', 'release', 'leave')
mergeAt(QueueWriter, 'tryPut', 'flush', 'putEnd', 'leave')
mergeAt(WorkerCore, 'refresh', 'leave')
mergeAt(QueueMemory, 'leave', 'openEnd', 'ringAll')
holdResult(InputReader, 'read')

export interface PipelineShape {
  make: () => Blueprint<never, unknown>
  /** Who may die, by stage; and how many further lives each of its workers may have. */
  mortal?: { stage: string; lives: number }
  /** Threads besides the workers and their supervisors. */
  others?: (wiring: Wiring, connections: ReadonlyMap<string, StageConnections>) => ThreadSpec[]
}

export interface MadePipeline {
  threads: ThreadSpec[]
  wiring: Wiring
  connections: ReadonlyMap<string, StageConnections>
}

/** The threads of a pipeline, over new memory. */
export function makePipeline({ make, mortal, others }: PipelineShape): MadePipeline {
  const blueprint = make()
  const plan = makePlan(blueprint)
  const definitions = closeEnds(blueprint, {})
  const connections = new Map<string, StageConnections>()
  const stages = plan.stages.map(
    ({ name }) =>
      ({ connect: (its: StageConnections) => connections.set(name, its) }) as unknown as PipelineStage,
  )
  const wiring = wirePlan(plan, stages)
  constant(plan, ...plan.stages, ...definitions, definitions, ...connections.values())
  const threads: ThreadSpec[] = []
  const names: string[] = []
  for (const { name, maxWorkers } of plan.stages) {
    for (let worker = 0; worker < maxWorkers; worker++) names.push(threadName(name, worker, 1))
  }
  nameBoard(wiring.stop, names)
  for (const queue of wiring.queues) nameQueue(`${queue.from}>${queue.to}`, queue.memory)
  for (const { name, workers } of plan.stages) {
    const its = connections.get(name) as StageConnections
    for (let worker = 0; worker < workers; worker++) {
      const lives = mortal?.stage === name ? mortal.lives : undefined
      addWorker(threads, its, definitions, worker, lives)
    }
  }
  threads.push(...(others?.(wiring, connections) ?? []))
  return { threads, wiring, connections }
}

function threadName(stage: string, worker: number, life: number): string {
  return life === 1 ? `${stage}${worker}` : `${stage}${worker} life ${life}`
}

/** `further`: how often it may be started again; undefined: it cannot die, and needs no supervisor. */
function addWorker(
  threads: ThreadSpec[],
  its: StageConnections,
  definitions: readonly StageDefinition[],
  worker: number,
  further: number | undefined,
): void {
  const verdicts = new Int32Array(new SharedArrayBuffer(16))
  const gates = Array.from({ length: 1 + (further ?? 0) }, () => new Int32Array(new SharedArrayBuffer(4)))
  for (let life = 1; life <= 1 + (further ?? 0); life++) {
    threads.push({
      name: threadName(its.plan.name, worker, life),
      run: () => {
        const gate = further === undefined ? undefined : gates[life - 1]
        return live(its, definitions, { worker, life, verdict: readVerdict(verdicts, life), gate })
      },
      mayDie: further !== undefined,
      // Its supervisor lets it begin.
      isLater: further !== undefined,
    })
  }
  if (further === undefined) return
  threads.push({
    name: `supervisor of ${its.plan.name}${worker}`,
    run: () => supervise(its, worker, { further, verdicts, gates }),
  })
}

/** What a thread of a worker does: see thread-entry.ts. */
async function live(
  its: StageConnections,
  definitions: readonly StageDefinition[],
  {
    worker,
    life,
    verdict,
    gate,
  }: { worker: number; life: number; verdict: Verdict | undefined; gate: Int32Array | undefined },
): Promise<void> {
  // No looking around before it sleeps: that adds looks, and no new way to miss a ring.
  const task = { ...makeTask(its, worker, life, verdict), spins: 0 }
  const loop = new WorkerLoop(task, definitions, {
    baseline: 0,
    ready: async () => {
      if (gate !== undefined) sayReady(gate)
    },
    fail: (failure: Failure) => note(`failure: ${failure.code}`),
  })
  checkpoint(loop)
  await loop.run()
}

/** What the starter of a worker does: StageWorker, over threads of the world. */
async function supervise(
  its: StageConnections,
  worker: number,
  { further, verdicts, gates }: { further: number; verdicts: Int32Array; gates: readonly Int32Array[] },
): Promise<void> {
  const { stop, plan, counters, firstIndex } = its
  const count = new WorkerCounters(counters, firstIndex + worker)
  const ends = endsOf(its, worker)
  const consumers = ends.filter(({ role }) => role === 'consumer')
  const over = new Deferred()
  let isOver = false
  let ended: Deferred<Awaited<import('../../src/host/worker-life.ts').WorkerLife['ended']>> | undefined
  let opened = new Deferred()
  let thread = ''
  const one = new StageWorker(
    {
      stage: plan.name,
      number: worker,
      counters: count,
      start: (life, verdict) => {
        thread = threadName(plan.name, worker, life)
        writeVerdict(verdicts, verdict)
        begin(thread)
        ended = new Deferred()
        opened = new Deferred()
        return {
          threadId: life,
          ready: opened.promise,
          ended: ended.promise,
          triggerStart: () => openGate(gates[life - 1]),
          tell: () => {},
          triggerTerminate: () => {},
        }
      },
      budget:
        further > 0
          ? new RestartBudget({ limit: further, withinMs: 1, delayMs: 0, factor: 1, maxDelayMs: 0 })
          : undefined,
      judge: new Judge({ poisonAfter: plan.poisonAfter, attempts: plan.retry?.attempts ?? 1 }),
      mayRestart: () => !stop.isSet,
      // As in worker-parts.ts.
      isParked: () =>
        consumers.length > 0 &&
        consumers.every(({ queue, index }) => queue.memory.state('consumer', index) === PARKED),
      park: () => {
        for (const { queue, role, index } of ends) if (role === 'producer') queue.memory.park(role, index)
      },
      leaveQueues: () => {
        for (const { queue, role, index } of ends) queue.memory.leave(role, index, GONE)
        stop.set('abort')
      },
      ringAll: () => stop.ringAll(),
    },
    {
      failed: () => stop.set('abort'),
      ready: () => {},
      restarting: () => note('restarting'),
      ended: () => {
        isOver = true
        over.resolve()
      },
    },
  )
  one.launch()
  while (!isOver) {
    untilReady(thread)
    opened.resolve()
    await turn()
    // The run opens the gate once for all.
    one.triggerStart()
    const isDead = untilEnd(thread)
    const how = count.life === DONE ? 'done' : 'died'
    const death = {
      code: 'MILLRACE_WORKER_DIED',
      message: 'killed',
      stage: plan.name,
      worker,
    } as unknown as Failure
    ended?.resolve(how === 'done' ? { how } : { how, ...(isDead ? { death } : {}) })
    await turn()
    // The delay before a restart is over at once.
    await turn()
  }
  await over.promise
  note(one.state)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What the supervisor found travels in words, as it does in a Worker's data. */
function writeVerdict(words: Int32Array, verdict: Verdict | undefined): void {
  if (verdict === undefined) return
  words[0] = 1
  words[1] = verdict.ticket | 0
  words[2] = verdict.attempts
  words[3] = verdict.alone
}

function readVerdict(words: Int32Array, life: number): Verdict | undefined {
  if (life === 1 || words[0] === 0) return undefined
  const ticket = words[1] < -1 ? words[1] >>> 0 : words[1]
  return { ticket, attempts: words[2], alone: words[3] }
}

/** A source of `count` items, numbered from 1. */
export function numbers(count: number): () => Generator<number> {
  return function* () {
    for (let item = 1; item <= count; item++) {
      checkpoint(item)
      yield item
    }
  }
}

/** Notes what a sink takes. */
export function take(value: unknown): void {
  note(value as number)
  letGo()
}

/** The body of a stage that hands on what it gets. */
export function pass(item: number): number {
  checkpoint(item)
  return item
}
