/**
 * Which items of a source are final: delivered, dropped or failed, with everything that was made from them.
 *
 * Every record carries the number of the item it comes from, and lies in its queue until its outputs lie in the
 * next. So the least number in any queue (queue/low-water.ts) is the low-water mark: all items below it are final. Nothing
 * is counted for it on the way, and nothing can be counted wrongly by a worker that dies.
 */
import { MillraceError } from '../errors.ts'
import { ABANDONED, COUNTER_BYTES, WorkerCounters } from '../observe/counters.ts'
import type { Failure } from '../observe/failure.ts'
import { LowWater } from '../queue/low-water.ts'
import { QueueMemory } from '../queue/queue-memory.ts'
import type { Tracked } from '../tracked.ts'
import { Acks } from './acks.ts'
import { CheckpointFile, readCheckpoint } from './checkpoint-file.ts'
import type { WorkerCore } from './worker-core.ts'

/** How often a source that tracks its items looks which are final, in milliseconds. */
const LOOK_MS = 20
/** How often it looks for word of a failure that was told before it goes on without. */
const LOOKS_FOR_NEWS = 100

export class Finality {
  readonly #core: WorkerCore
  readonly #lowWater: LowWater
  readonly #all: WorkerCounters[]
  readonly #maxInFlight: number
  readonly #acks = new Acks()
  #checkpoint: CheckpointFile | undefined
  #timer: NodeJS.Timeout | undefined
  #failuresHeard = 0
  #looksInVain = 0
  /** Items that the position it begins at lies behind, of those this run has read. */
  itemsBefore = 0

  constructor(core: WorkerCore) {
    const { lowWater, counters } = core.task
    this.#core = core
    const queues = (lowWater?.queues ?? []).map((handle) => QueueMemory.from(handle))
    const ways = lowWater?.ways ?? { first: [], next: [] }
    this.#lowWater = new LowWater(queues, core.plan.sourceIndex ?? 0, ways)
    this.#maxInFlight = lowWater?.maxInFlight ?? Number.POSITIVE_INFINITY
    const workers = Math.floor(counters.byteLength / COUNTER_BYTES)
    this.#all = Array.from({ length: workers }, (_, index) => new WorkerCounters(counters, index))
  }

  /** Position to begin at: the checkpoint's, if there is one. @throws MILLRACE_BAD_CHECKPOINT */
  takeUp(): unknown {
    const { plan, task, context } = this.#core
    if (plan.checkpoint === undefined) return undefined
    const owner = { pipeline: context.pipeline, source: context.stage }
    const found = readCheckpoint(plan.checkpoint, owner)
    this.#checkpoint = new CheckpointFile(plan.checkpoint, { everyMs: plan.checkpointMs ?? 1000, ...owner })
    if (found === undefined) return undefined
    if (task.life > 1) this.itemsBefore = found.items
    // The next life must know that this position lies before this run's first item.
    else {
      this.#checkpoint.note(found.position, 0)
      this.#checkpoint.flush()
    }
    return found.position
  }

  /** Remembers the item, and gives what is to be sent on. */
  track(item: number, tracked: Tracked<unknown>): unknown {
    this.#begin()
    this.#acks.add(item, tracked)
    return tracked.value
  }

  noteFailure(failure: Failure, items: readonly number[]): void {
    this.#failuresHeard++
    for (const item of items) this.#acks.fail(item, failure)
  }

  /** Whether so many items are under way that no other may follow now. */
  get isFull(): boolean {
    if (this.#maxInFlight === Number.POSITIVE_INFINITY) return false
    const { counters } = this.#core
    if (counters.read - counters.finalUpTo < this.#maxInFlight) return false
    counters.finalUpTo = Math.max(counters.finalUpTo, this.#lowWater.oldest(counters.read) - 1)
    if (counters.read - counters.finalUpTo < this.#maxInFlight) return false
    // Of what is under way when nobody takes anything any more, nothing moves.
    return this.#lowWater.goesOn
  }

  async untilRoom(): Promise<void> {
    if (!this.isFull) return
    const { waiting, bell, stop, counters } = this.#core
    const since = performance.now()
    await waiting.wait(bell, () => !this.isFull || stop.isSet)
    counters.addBlocked(performance.now() - since)
  }

  /** The run may end before everything is final: then it stays open. */
  async finish(): Promise<void> {
    const { waiting, bell, stop, counters } = this.#core
    clearInterval(this.#timer)
    if (this.#timer === undefined) return
    const isFinal = () => {
      this.#look()
      return counters.finalUpTo >= counters.read
    }
    while (!isFinal() && !stop.isSet && this.#lowWater.goesOn)
      await waiting.sleep(bell, () => stop.isSet, LOOK_MS)
    this.#look()
    this.#checkpoint?.flush()
    await this.#acks.idle()
    this.#tellOf(this.#acks.takeErrors())
  }

  #begin(): void {
    if (this.#timer !== undefined) return
    this.#core.waiting.becomeAsync()
    this.#timer = setInterval(() => {
      void this.#core.attempt('MILLRACE_SOURCE_FAILED', 'failed to tell what is final', () => this.#look())
    }, LOOK_MS)
  }

  #look(): void {
    const { counters } = this.#core
    // What it could not send on itself was its last.
    const sent = counters.settled - counters.of(ABANDONED)
    const finalUpTo = this.#lowWater.oldest(sent) - 1
    // Read after the queues: of every item that was seen gone, the failure was told before.
    const told = this.#all.reduce((sum, worker) => sum + worker.told, 0)
    if (told > this.#failuresHeard && !this.#isLost(told)) return
    this.#looksInVain = 0
    counters.finalUpTo = Math.max(counters.finalUpTo, finalUpTo)
    const { position, errors } = this.#acks.settle(counters.finalUpTo)
    if (position !== undefined) this.#checkpoint?.note(position, counters.finalUpTo)
    this.#checkpoint?.writeIfDue(performance.now())
    this.#tellOf(errors)
  }

  /** A worker that died as it told of a failure, or one that told an earlier life of this source, is not waited for. */
  #isLost(told: number): boolean {
    this.#looksInVain++
    if (this.#looksInVain < LOOKS_FOR_NEWS) return false
    this.#failuresHeard = told
    return true
  }

  #tellOf(errors: readonly unknown[]): void {
    for (const error of errors) {
      const cause =
        error instanceof MillraceError
          ? error
          : new MillraceError('MILLRACE_ACK_FAILED', String(error), { cause: error })
      this.#core.host.fail(this.#core.failure('MILLRACE_ACK_FAILED', 'failed to acknowledge', cause), true)
    }
  }
}
