/**
 * The stop event: the one shared flag of a run, and the board of doorbells it rings.
 *
 * The level only grows: 0 run, 1 drain, 2 abort. Order matters: the level is stored first and the bells are
 * rung second, so a worker either sees the level before it sleeps or is rung.
 *
 * Every doorbell of the queues that are linked to it lies on its board, in the same piece of shared
 * memory: that is why setting it, from any thread, can wake every blocked put and get, also in threads that the
 * setter has never heard of.
 */
import { setMaxListeners } from 'node:events'
import { bug, invalidOption, MillraceError } from '../errors.ts'
import { add, compareExchange, load, notifyAll, peek, type Words } from './atomics.ts'
import { BELL_WORDS, Doorbell, nextNotify } from './doorbell.ts'
import { makeId, readId } from './shared-id.ts'

export type StopLevel = 'run' | 'drain' | 'abort'

const LEVELS: readonly StopLevel[] = ['run', 'drain', 'abort']
const LEVEL = 0
const BELLS_TAKEN = 1
const ID = 2
const FIRST_BELL = BELL_WORDS
const DEFAULT_DOORBELLS = 256
const RUN = 0
const ABORT = 2

/** What `stop.handle` gives: travels in `workerData` or `postMessage`, inside one process. */
export interface StopHandle {
  readonly kind: 'millrace.stop/1'
  readonly board: SharedArrayBuffer
}

export interface StopEventOptions {
  /** Most doorbells its queues may have in all: one per declared producer and consumer. Default 256. */
  doorbells?: number
}

/**
 * One flag for many threads. Setting it wakes every put and get that is blocked on a queue made with
 * `{ stop }`, at once and without polling.
 *
 * @example
 * const stop = new StopEvent()
 * const queue = new BoundedQueue({ capacity: 1, stop })
 * stop.set()
 * await queue.put('x') // => 'stopped'
 */
export class StopEvent {
  readonly #words: Words
  readonly #signals = new Map<StopLevel, AbortController>()
  /** Not `signal.aborted`: a worker's context answers that from the shared word. */
  readonly #fired = new Set<StopLevel>()
  #following = false
  #released = false

  constructor(options: StopEventOptions | StopHandle = {}) {
    if ('board' in options) {
      this.#words = new Int32Array(options.board)
      return
    }
    const { doorbells = DEFAULT_DOORBELLS } = options
    if (!Number.isSafeInteger(doorbells) || doorbells < 1) {
      throw invalidOption('stop event', 'doorbells', 'a positive integer', doorbells)
    }
    this.#words = new Int32Array(new SharedArrayBuffer((FIRST_BELL + doorbells * BELL_WORDS) * 4))
    makeId(this.#words, ID)
  }

  /** The same event, in another thread. @throws MILLRACE_BAD_HANDLE */
  static from(handle: StopHandle): StopEvent {
    if (handle?.kind !== 'millrace.stop/1' || !(handle.board instanceof SharedArrayBuffer)) {
      throw new MillraceError('MILLRACE_BAD_HANDLE', 'StopEvent.from() needs what stop.handle gave')
    }
    return new StopEvent(handle)
  }

  get handle(): StopHandle {
    return { kind: 'millrace.stop/1', board: this.#words.buffer as SharedArrayBuffer }
  }

  get level(): StopLevel {
    return LEVELS[load(this.#words, LEVEL)]
  }

  /** Whether it was set to 'abort': everybody leaves. */
  get isSet(): boolean {
    return load(this.#words, LEVEL) === ABORT
  }

  /** Whether sources should stop reading: the level is 'drain' or 'abort'. */
  get isDraining(): boolean {
    return load(this.#words, LEVEL) !== RUN
  }

  /** `isSet` and `isDraining`, for between two items: as of a moment ago. Before a wait the others are to be asked. */
  get peekSet(): boolean {
    return peek(this.#words, LEVEL) === ABORT
  }

  get peekDraining(): boolean {
    return peek(this.#words, LEVEL) !== RUN
  }

  /** Raises the level, never lowers it, and wakes everybody. Returns whether this call raised it. */
  set(level: 'drain' | 'abort' = 'abort'): boolean {
    const target = LEVELS.indexOf(level)
    for (;;) {
      const now = load(this.#words, LEVEL)
      if (now >= target) return false
      if (compareExchange(this.#words, LEVEL, now, target) === now) break
    }
    this.ringAll()
    return true
  }

  /**
   * Rings every doorbell on the board. Needed after a worker's death: a notify may have gone to the dying, or may not have
   * come from it any more.
   */
  ringAll(): void {
    notifyAll(this.#words, LEVEL)
    const taken = load(this.#words, BELLS_TAKEN)
    for (let index = 0; index < taken; index++) this.doorbell(index).ringAnyway()
  }

  /** An AbortSignal of this thread, aborted when the event is set to 'abort'. Fires on the event loop. */
  get signal(): AbortSignal {
    return this.signalAt('abort')
  }

  /** Like `signal`, for a level: 'drain' fires when sources should stop reading. */
  signalAt(level: 'drain' | 'abort'): AbortSignal {
    let controller = this.#signals.get(level)
    if (controller === undefined) {
      controller = new AbortController()
      // One for each thing that is under way: more than the ten at which Node warns of a leak.
      setMaxListeners(0, controller.signal)
      this.#signals.set(level, controller)
      this.#fireSignals(load(this.#words, LEVEL))
      void this.#follow()
    }
    return controller.signal
  }

  /** Takes a doorbell of the board. Its number is shared memory's name for it. */
  takeDoorbell(): number {
    const index = add(this.#words, BELLS_TAKEN, 1)
    if (FIRST_BELL + (index + 1) * BELL_WORDS > this.#words.length) {
      add(this.#words, BELLS_TAKEN, -1)
      throw invalidOption('stop event', 'doorbells', 'at least the number of queue ends linked to it', index)
    }
    return index
  }

  /** The doorbell of that number, as seen from this thread. */
  doorbell(index: number): Doorbell {
    const word = FIRST_BELL + index * BELL_WORDS
    if (word >= this.#words.length) throw bug(`doorbell ${index} lies outside its board`)
    return new Doorbell(this.#words, word)
  }

  /** Whether both share one board, so that setting one wakes what sleeps on the other's queues. */
  isSameAs(other: StopEvent): boolean {
    return readId(this.#words, ID) === readId(other.#words, ID)
  }

  /** Lets go of what waits for the level in this thread (the signals fire no more). */
  release(): void {
    this.#released = true
    notifyAll(this.#words, LEVEL)
  }

  /** Waits for the level it has just acted on to change: any other would leave a gap for a level to slip through. */
  async #follow(): Promise<void> {
    if (this.#following) return
    this.#following = true
    for (;;) {
      const level = load(this.#words, LEVEL)
      this.#fireSignals(level)
      if (level === ABORT || this.#released) return
      await nextNotify(this.#words, LEVEL, level)
    }
  }

  #fireSignals(level: number): void {
    for (const [name, controller] of this.#signals) {
      if (level < LEVELS.indexOf(name) || this.#fired.has(name)) continue
      this.#fired.add(name)
      controller.abort(new MillraceError('MILLRACE_ABORTED', `the run was told to ${LEVELS[level]}`))
    }
  }
}
