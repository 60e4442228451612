/**
 * How a worker waits, and how it shares its thread's event loop.
 *
 * A worker may block its thread only while nothing in the thread needs the event loop: its process function has
 * never returned a promise, and no timer, socket or request is active. Otherwise it waits on the event loop.
 * A busy worker lets the event loop turn now and then, so that timers and signals get through.
 */
import type { Doorbell } from '../queue/doorbell.ts'

/** A blocked thread looks this often whether something in it has come to need the event loop. */
const LOOK_EVERY_MS = 50
/** How long a worker in its own thread may keep the event loop from turning. */
const THREAD_BUSY_MS = 50
/** The same on the caller's event loop, which has other work to do. */
const LOOP_BUSY_MS = 4
/**
 * So many items are taken at most before the loop of a worker looks up, and the clock is read once in so many in a thread. A
 * burst is a function of its own: V8 compiles a loop that goes on by itself a second time, for the middle of it, and worse.
 */
export const BURST = 64

export class Waiting {
  readonly #canBlock: boolean
  readonly #baseline: number
  readonly #itemsPerLook: number
  readonly #busyMs: number
  #isAsync = false
  #mayBlock = false
  #isGone = false
  #looked = Number.NEGATIVE_INFINITY
  #turned = performance.now()
  #items = 0
  #isTurnDue = false

  /** @param baseline what `countActiveResources` gave before user code ran; undefined: never block */
  constructor(baseline: number | undefined) {
    const canBlock = baseline !== undefined
    this.#canBlock = canBlock
    this.#baseline = baseline ?? 0
    this.#itemsPerLook = canBlock ? BURST : 1
    this.#busyMs = canBlock ? THREAD_BUSY_MS : LOOP_BUSY_MS
  }

  /** The process function has returned a promise: from now on the event loop is needed. */
  becomeAsync(): void {
    this.#isAsync = true
  }

  /**
   * The worker has died, though its thread goes on: whatever of it still waits, or comes to wait, waits for ever. Ring its
   * bell afterwards.
   */
  abandon(): void {
    this.#isGone = true
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Whether the thread may be blocked now. */
  get mayBlock(): boolean {
    if (!this.#mayBlock || this.#isAsync || performance.now() - this.#looked >= LOOK_EVERY_MS) return false
    // What the last item began, a timer perhaps, would wait as long as the thread does.
    return countActiveResources() <= this.#baseline
  }

  /** Waits until `ready()`, `timeoutMs` at most, in whichever way fits. */
  async wait(bell: Doorbell, ready: () => boolean, timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#canBlock && !this.#isAsync) {
      await this.turn()
      this.#looked = performance.now()
      this.#mayBlock = countActiveResources() <= this.#baseline
      if (this.#mayBlock) {
        bell.waitSync(ready, timeoutMs)
        this.#looked = performance.now()
        return
      }
    }
    await bell.wait(() => this.#isGone || ready(), timeoutMs)
    await this.#alive()
    this.#noteTurn()
  }

  /** Waits for `ms` at most, or until `isOver()`: a delay, not a wait for data. */
  async sleep(bell: Doorbell, isOver: () => boolean, ms: number): Promise<void> {
    if (ms <= 0 || isOver()) return
    if (this.mayBlock && ms < LOOK_EVERY_MS) bell.waitSync(isOver, ms)
    else await bell.wait(() => this.#isGone || isOver(), ms)
    await this.#alive()
    this.#noteTurn()
  }

  /** Whether the event loop has waited long enough; until it turns. Asked after each item. */
  isTurnDue(): boolean {
    if (++this.#items >= this.#itemsPerLook) {
      this.#items = 0
      this.#isTurnDue = performance.now() - this.#turned > this.#busyMs
    }
    return this.#isTurnDue
  }

  /** Lets the event loop turn once. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    await this.#alive()
    this.#noteTurn()
  }

  #noteTurn(): void {
    this.#turned = performance.now()
    this.#isTurnDue = false
  }

  #alive(): undefined | Promise<never> {
    return this.#isGone ? new Promise(() => {}) : undefined
  }
}

/** Timers, sockets and requests that keep this thread's event loop alive. */
export function countActiveResources(): number {
  return process.getActiveResourcesInfo().length
}
