/** One queue that a worker writes: puts an output there, waiting for room in whichever way fits. */
import { ABANDONED, DROPPED, OUT, type Outcome } from '../observe/counters.ts'
import { ROOM } from '../queue/doorbell.ts'
import type { Origin } from '../queue/lane.ts'
import type { QueueWriter } from '../queue/queue-writer.ts'
import type { Awaitable } from './emitter.ts'
import type { WorkerCore } from './worker-core.ts'

export class OutputQueue {
  readonly writer: QueueWriter
  readonly branch: string | undefined
  /** Nobody reads it any more. */
  isRefused = false
  readonly #core: WorkerCore
  /** Its reader holds items back to batch them, and must hear of a writer that waits for room. */
  readonly #isBatched: boolean
  /** Which of the item's outputs comes next. */
  #part = 0
  /** So many of them were published before, by an earlier try or life. */
  #published = 0

  constructor(core: WorkerCore, writer: QueueWriter, branch: string | undefined, isBatched: boolean) {
    this.#core = core
    this.writer = writer
    this.branch = branch
    this.#isBatched = isBatched
  }

  /** The next outputs are those of another item, of which `published` are there already. */
  begin(published = 0): void {
    this.#part = 0
    this.#published = published
  }

  /** The same item is tried again: what it has published so far is not published again. */
  beginAgain(): void {
    this.#published = Math.max(this.#published, this.#part)
    this.#part = 0
  }

  put(value: unknown, origin: Origin): Awaitable<Outcome> {
    if (this.#part < this.#published) {
      this.#part++
      return OUT
    }
    origin.part = this.#part
    const result = this.writer.tryPut(value, origin)
    if (result === 'ok') {
      this.#part++
      return OUT
    }
    return result === 'full' ? this.#putWhenRoom(value, origin) : this.#unput(result)
  }

  #unput(result: 'closed' | 'dropped'): Outcome {
    if (result === 'dropped') return DROPPED
    this.isRefused = true
    return ABANDONED
  }

  #putWhenRoom(value: unknown, origin: Origin): Awaitable<Outcome> {
    const { stop, waiting, bell } = this.#core
    const { writer } = this
    const isReady = () => {
      writer.flush()
      if (writer.isReady() || stop.isSet) return true
      if (this.#isBatched) writer.announceWait()
      return false
    }
    while (waiting.mayBlock) {
      const since = this.#beginWait()
      bell.waitSync(isReady, Number.POSITIVE_INFINITY, ROOM)
      this.#endWait(since)
      if (stop.isSet) return ABANDONED
      const result = writer.tryPut(value, origin)
      if (result === 'full') continue
      if (result !== 'ok') return this.#unput(result)
      this.#part++
      return OUT
    }
    return this.#putLater(value, origin, isReady)
  }

  async #putLater(value: unknown, origin: Origin, isReady: () => boolean): Promise<Outcome> {
    const { stop, waiting, bell } = this.#core
    // Others of this worker may wait on the event loop meanwhile; the origin must be this item's when it is put.
    const mine = { ...origin }
    const since = this.#beginWait()
    await waiting.wait(bell, isReady)
    this.#endWait(since)
    if (stop.isSet) return ABANDONED
    return this.put(value, mine)
  }

  #beginWait(): number {
    this.#core.activity.beginWait()
    return performance.now()
  }

  #endWait(since: number): void {
    // Before it counts as being at work again: who looks in between must not take the wait for work.
    this.#core.counters.addBlocked(performance.now() - since)
    this.#core.activity.endWait()
  }
}
