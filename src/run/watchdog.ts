/**
 * Looks, now and then, whether a worker has the same item in hand for too long.
 *
 * Timed from when it was first seen with the item: never too early, at most one tick late. Only the user's code counts,
 * not waiting for room, for a retry or for leave to begin. A tick that comes late itself (the process was stopped, the
 * computer slept, the event loop was blocked) proves nothing: it is skipped, and the time it lost is not counted.
 */
import { setDeadline } from '../deadline.ts'
import { WORKING } from '../observe/counters.ts'
import type { PipelineStage } from './stage.ts'
import type { StageWorker } from './stage-worker.ts'

/** An item that a worker has had in hand for longer than `stuckAfterMs`. */
export interface StuckItem {
  stage: string
  worker: number
  /** Number of the item at its source. */
  item: number
  /** How long it has been in hand, in milliseconds. */
  sinceMs: number
  /** The queues before and after the stage. */
  queues: { from: string; to: string; level: number; capacity: number }[]
  /** What its thread was doing. */
  stack?: string
}

export interface WatchdogSteps {
  /** Its item has taken longer than `timeoutMs`: it is to be replaced. */
  late: (stage: PipelineStage, worker: StageWorker, timeoutMs: number) => void
  /** It was to be replaced, and its thread has not ended. */
  unstoppable: (stage: PipelineStage, worker: StageWorker) => void
  stuck: (stuck: StuckItem) => void
}

interface Watched {
  stage: PipelineStage
  worker: StageWorker
  /** Names the item, the try and the life; undefined: it has nothing in hand. */
  key: string | undefined
  sinceMs: number
  stuck: StuckItem | undefined
}

const LONGEST_TICK_MS = 15_000
const SHORTEST_TICK_MS = 5
const STACK_MS = 500

export class Watchdog {
  readonly #watched: Watched[]
  readonly #steps: WatchdogSteps
  readonly #terminateMs: number
  /** Time between two looks; undefined: there is nothing to look for. */
  readonly tickMs: number | undefined
  #lastMs: number
  #timer: NodeJS.Timeout | undefined
  readonly #deadlines = new Set<NodeJS.Timeout | undefined>()
  #isOver = false

  constructor(
    stages: readonly PipelineStage[],
    terminateMs: number,
    steps: WatchdogSteps,
    nowMs = performance.now(),
  ) {
    this.#watched = stages.flatMap((stage) =>
      stage.workerList.map((worker) => ({ stage, worker, key: undefined, sinceMs: nowMs, stuck: undefined })),
    )
    this.#steps = steps
    this.#terminateMs = terminateMs
    this.tickMs = tickOf(stages)
    this.#lastMs = nowMs
  }

  start(): void {
    if (this.tickMs === undefined) return
    this.#lastMs = performance.now()
    this.#timer = setInterval(() => this.tick(performance.now()), this.tickMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#isOver = true
    clearInterval(this.#timer)
    for (const deadline of this.#deadlines) clearTimeout(deadline)
    this.#deadlines.clear()
  }

  /** Items that are stuck now. */
  get stuck(): StuckItem[] {
    return this.#watched.flatMap(({ stuck, worker, key }) =>
      stuck !== undefined && keyOf(worker) === key ? [stuck] : [],
    )
  }

  tick(nowMs: number): void {
    const tickMs = this.tickMs ?? Number.POSITIVE_INFINITY
    const lateMs = nowMs - this.#lastMs - tickMs
    this.#lastMs = nowMs
    if (lateMs > tickMs) {
      for (const watched of this.#watched) watched.sinceMs += lateMs
      return
    }
    for (const watched of this.#watched) this.#look(watched, nowMs)
  }

  #look(watched: Watched, nowMs: number): void {
    const { stage, worker } = watched
    const key = keyOf(worker)
    if (key !== watched.key) {
      watched.key = key
      watched.sinceMs = nowMs
      watched.stuck = undefined
    }
    if (key === undefined) return
    const ageMs = nowMs - watched.sinceMs
    const { timeoutMs, stuckAfterMs = Number.POSITIVE_INFINITY } = stage.plan ?? {}
    if (watched.stuck === undefined && ageMs >= stuckAfterMs) void this.#tellStuck(watched, ageMs)
    if (timeoutMs === undefined || stage.host === 'loop' || worker.isBeingReplaced) return
    if (ageMs >= hardLimitMs(timeoutMs)) this.#replace(stage, worker, timeoutMs)
  }

  #replace(stage: PipelineStage, worker: StageWorker, timeoutMs: number): void {
    const { restarts } = worker
    const deadline = setDeadline(() => {
      this.#deadlines.delete(deadline)
      if (worker.isBeingReplaced && worker.restarts === restarts) this.#steps.unstoppable(stage, worker)
    }, this.#terminateMs)
    this.#deadlines.add(deadline)
    this.#steps.late(stage, worker, timeoutMs)
  }

  async #tellStuck(watched: Watched, sinceMs: number): Promise<void> {
    const { stage, worker } = watched
    const stuck: StuckItem = {
      stage: stage.name,
      worker: worker.number,
      item: worker.counters.inHand,
      sinceMs: Math.round(sinceMs),
      queues: [...stage.inputs, ...stage.outputs].map(({ from, to, level, capacity }) => ({
        from,
        to,
        level,
        capacity,
      })),
    }
    watched.stuck = stuck
    const stack = await stackOf(stage, worker)
    if (stack !== undefined) stuck.stack = stack
    if (!this.#isOver) this.#steps.stuck(stuck)
  }
}

/** What it does now, if that is the user's code. */
function keyOf(worker: StageWorker): string | undefined {
  const { counters, restarts, state } = worker
  const ticket = counters.ticketInHand
  if (state !== 'running' || ticket === undefined || counters.phase !== WORKING) return undefined
  return `${restarts} ${counters.turns} ${ticket} ${counters.attempt}`
}

/** An async function is timed by its worker; what lasts longer than that blocks the thread. */
function hardLimitMs(timeoutMs: number): number {
  return timeoutMs + Math.max(50, timeoutMs / 4)
}

function tickOf(stages: readonly PipelineStage[]): number | undefined {
  const limits = stages.flatMap(({ plan }) => [plan?.timeoutMs, plan?.stuckAfterMs])
  const shortest = Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY))
  if (shortest === Number.POSITIVE_INFINITY) return undefined
  return Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, shortest / 4))
}

async function stackOf({ host }: PipelineStage, worker: StageWorker): Promise<string | undefined> {
  const { threadId } = worker
  if (host !== 'thread' || threadId === undefined) return undefined
  try {
    // Loaded only then: it brings the inspector.
    const { readWorkerStack } = await import('./worker-stack.ts')
    const asking = readWorkerStack(threadId, STACK_MS)
    worker.whileAsked(asking)
    return await asking
  } catch {
    return undefined
  }
}
