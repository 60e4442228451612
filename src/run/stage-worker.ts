/**
 * One worker of a stage through all its lives: launched, let through the gate, restarted after a death, ended.
 *
 * Its ends of the queues outlive its deaths: to its neighbours a restart is a long pause. They become GONE only when
 * no further life will come. A worker that ends in order leaves its queues itself, or parks its ends when it was
 * told to retire; then it may be launched again.
 */
import { setDeadline } from '../deadline.ts'
import { Deferred } from '../deferred.ts'
import { MillraceError } from '../errors.ts'
import type { OnFailure, ToWorker, WorkerEnd, WorkerLife } from '../host/worker-life.ts'
import type { Verdict } from '../host/worker-task.ts'
import { DONE, READY, RUNNING, STARTING, WAITING, type WorkerCounters } from '../observe/counters.ts'
import { type Failure, makeFailure } from '../observe/failure.ts'
import type { RestartBudget } from './restart-budget.ts'
import type { Judge } from './verdict.ts'

/** 'absent': it was not launched yet, or has retired. 'resting': it died, and its next life is about to begin. */
export type WorkerState = 'absent' | 'starting' | 'ready' | 'running' | 'resting' | 'done' | 'died'

export interface WorkerParts {
  /** Name of its stage. */
  stage: string
  /** Number within the stage. */
  number: number
  counters: WorkerCounters
  /** Starts a life of it. @throws if there can be none */
  start: (life: number, verdict: Verdict | undefined, onFailure: OnFailure) => WorkerLife
  /** None: it is never restarted. */
  budget: RestartBudget | undefined
  judge: Judge
  /** Whether the run goes on, so that a death is worth another life. */
  mayRestart: () => boolean
  /** Whether it has given up all its ends of queues that it reads, until it is launched again. */
  isParked: () => boolean
  /** Gives up those of queues that it writes. */
  park: () => void
  /** Its ends of the queues become GONE: whoever waits for it learns so. */
  leaveQueues: () => void
  /** Wakes everybody: a wake-up that went to the dying is lost. */
  ringAll: () => void
}

export interface WorkerEvents {
  failed: OnFailure
  /** It has opened everything, or is gone. */
  ready: () => void
  /** It died, and begins again after the delay. */
  restarting: (death: Failure, delayMs: number) => void
  /** No life of it is left, and none will come by itself. */
  ended: () => void
}

export class StageWorker {
  readonly number: number
  readonly counters: WorkerCounters
  readonly #parts: WorkerParts
  readonly #events: WorkerEvents
  #state: 'absent' | 'alive' | 'resting' | 'done' | 'died' = 'absent'
  #life: WorkerLife | undefined
  /** Settles when nobody asks its thread any more. */
  #asking: Promise<void> | undefined
  #lives = 0
  #restarts = 0
  #isGateOpen = false
  #hasBeenReady = false
  #hasFailed = false
  /** The limit that the item in hand has passed, for which we are ending this life. */
  #lateAfterMs: number | undefined
  #restTimer: NodeJS.Timeout | undefined
  /** What the present life was told of the item that the last one had in hand. */
  #verdict: Verdict | undefined
  #opened = new Deferred()
  #over = new Deferred()

  constructor(parts: WorkerParts, events: WorkerEvents) {
    this.number = parts.number
    this.counters = parts.counters
    this.#parts = parts
    this.#events = events
  }

  get state(): WorkerState {
    if (this.#state !== 'alive') return this.#state
    const { life } = this.counters
    if (life === READY) return 'ready'
    return life === RUNNING || life === DONE ? 'running' : 'starting'
  }

  /** Whether no life of it is left, and none will come by itself. */
  get hasEnded(): boolean {
    return this.#state === 'done' || this.#state === 'died'
  }

  get isAbsent(): boolean {
    return this.#state === 'absent'
  }

  /** Whether it may still put something out. A thread says that it is done some time before it is gone. */
  get hasWork(): boolean {
    if (this.#state === 'alive') return this.counters.life !== DONE
    return this.#state === 'resting' || this.#state === 'died'
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Thread of the present life, or of the last. */
  get threadId(): number | undefined {
    return this.#life?.threadId
  }

  /** Resolves when the life that is being launched has opened everything, or is gone. */
  get ready(): Promise<void> {
    return this.#opened.promise
  }

  /** Resolves when it has ended or retired. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Starts it; it waits at the gate. Never throws: what goes wrong is told. */
  launch(): void {
    this.#opened = new Deferred()
    this.#over = new Deferred()
    this.counters.countLaunch()
    this.#begin(undefined)
  }

  /** Lets it, and any later life of it, through the gate. */
  triggerStart(): void {
    this.#isGateOpen = true
    if (this.state === 'ready') this.#life?.triggerStart()
  }

  tell(message: ToWorker): void {
    if (this.#state === 'alive') this.#life?.tell(message)
  }

  /** Ends it the hard way, where the host can. */
  triggerTerminate(): void {
    if (this.#state === 'resting') this.#finish('died')
    else if (this.#state === 'alive') this.#terminate()
  }

  /**
   * While the inspector asks its thread for something, it is not terminated: Node 20 dies of that (SIGSEGV, under load one
   * time in a hundred). What is asked must settle soon.
   */
  whileAsked(asking: Promise<unknown>): void {
    const settled = Promise.allSettled([this.#asking, asking]).then(() => {
      if (this.#asking === settled) this.#asking = undefined
    })
    this.#asking = settled
  }

  #terminate(): void {
    const life = this.#life
    if (this.#asking === undefined) life?.triggerTerminate()
    else void this.#asking.then(() => life?.triggerTerminate())
  }

  /** Ends this life the hard way, because the item in hand has taken longer than it may. */
  triggerReplace(timeoutMs: number): void {
    this.#lateAfterMs = timeoutMs
    this.#terminate()
  }

  /** Whether it is being ended because of an item that takes too long. */
  get isBeingReplaced(): boolean {
    return this.#state === 'alive' && this.#lateAfterMs !== undefined
  }

  /** The run is being aborted: if it rests, its next life will not come. */
  cancelRestart(): void {
    if (this.#state === 'resting') this.#finish('died')
  }

  /** It will never be started. */
  cancel(): void {
    if (this.#state === 'absent') this.#finish('done')
  }

  #begin(verdict: Verdict | undefined): void {
    this.#lives++
    this.#hasFailed = false
    this.#lateAfterMs = undefined
    this.#state = 'alive'
    this.counters.life = STARTING
    // What the life before had in hand is in nobody's hand until it is taken up: the new life is not late with it.
    this.counters.phase = WAITING
    try {
      const life = this.#parts.start(this.#lives, verdict, (...told) => this.#onFailure(...told))
      this.#life = life
      void life.ready.then(() => this.#onReady(life))
      void life.ended.then((end) => this.#onEnd(end))
    } catch (error) {
      const { stage, number } = this.#parts
      const code = error instanceof MillraceError ? error.code : 'MILLRACE_WORKER_DIED'
      this.#onFailure(makeFailure(code, 'could not start', { stage, worker: number }, error), false)
      this.#finish('died')
    }
  }

  #onFailure(...told: Parameters<OnFailure>): void {
    const [, isItem] = told
    if (!isItem) this.#hasFailed = true
    this.#events.failed(...told)
  }

  #onReady(life: WorkerLife): void {
    if (this.#life !== life) return
    const { life: mark } = this.counters
    // Its mark is seen before its message comes: another's may have opened the gate to it, and it may be far beyond.
    if (mark !== STARTING) this.#hasBeenReady = true
    if (mark === READY && this.#isGateOpen) life.triggerStart()
    this.#opened.resolve()
    this.#events.ready()
  }

  #onEnd({ how, death }: WorkerEnd): void {
    if (how === 'done') {
      this.#finish(this.#parts.isParked() ? 'absent' : 'done')
      return
    }
    // It had nothing left to do but to say so.
    if (this.counters.life === RUNNING && !this.#hasFailed && this.#parts.isParked()) {
      this.#parts.park()
      this.#finish('absent')
      return
    }
    const late = this.#lateAfterMs
    const verdict = this.#judge(death)
    const delayMs = this.#restartDelay(late !== undefined)
    if (delayMs !== undefined) {
      this.#rest(delayMs, verdict, death)
      return
    }
    if (late !== undefined && death !== undefined) this.#onFailure(lateFailure(death, late), false)
    else if (death !== undefined && !this.#hasFailed) this.#onFailure(death, false)
    this.#finish('died')
  }

  /** A life that we ended ourselves is not the worker's fault, and uses up nothing. */
  #restartDelay(isOurs: boolean): number | undefined {
    const { budget, mayRestart } = this.#parts
    if (budget === undefined || this.#hasFailed || !this.#hasBeenReady || !mayRestart()) return undefined
    return isOurs ? 0 : budget.next(performance.now())
  }

  #judge(death: Failure | undefined): Verdict | undefined {
    // A life that died before it began has not touched what the one before it had in hand.
    if (this.counters.life !== RUNNING) return this.#verdict
    const { ticketInHand: ticket, inHand: item, units, attempt, settled } = this.counters
    const why = death?.error?.message ?? death?.message ?? 'its thread ended'
    this.#verdict = this.#parts.judge.judge(
      { ticket, item, held: Math.max(units, ticket === undefined ? 0 : 1), attempt, settled },
      { why, timeoutMs: this.#lateAfterMs },
    )
    return this.#verdict
  }

  #rest(delayMs: number, verdict: Verdict | undefined, death: Failure | undefined): void {
    this.#state = 'resting'
    this.#restarts++
    this.#parts.ringAll()
    if (death !== undefined) this.#events.restarting(death, delayMs)
    // Whoever was told may have ended the run.
    if (this.#state !== 'resting') return
    this.#restTimer = setDeadline(() => {
      if (this.#parts.mayRestart()) this.#begin(verdict)
      else this.#finish('died')
    }, delayMs)
  }

  #finish(state: 'absent' | 'done' | 'died'): void {
    clearTimeout(this.#restTimer)
    this.#state = state
    if (state === 'died') this.#parts.leaveQueues()
    this.#parts.ringAll()
    this.#opened.resolve()
    this.#over.resolve()
    this.#events.ended()
  }
}

function lateFailure(death: Failure, timeoutMs: number): Failure {
  const { stage, worker, item } = death
  const place = { stage, worker, ...(item === undefined ? {} : { item }) }
  const code = 'MILLRACE_ITEM_TIMEOUT'
  return makeFailure(code, 'failed', place, new MillraceError(code, `it took longer than ${timeoutMs} ms`))
}
