/**
 * The doorbell: the one word on which a worker sleeps, and the only file that waits or wakes.
 *
 * Protocol. One thread sleeps on a bell; any thread rings it.
 *
 *   sleeper                                   whoever changes what it waits for
 *   1 store ASLEEP                            1 make the change (one atomic store)
 *   2 look at everything it could wait for    2 load the bell; AWAKE: done
 *   3 nothing there: wait while ASLEEP        3 ASLEEP: compareExchange to AWAKE, notify all
 *
 * Both sides store first and look second, and Atomics are sequentially consistent: either the sleeper
 * sees the change in its second look, or the ringer sees ASLEEP. So no wake-up is lost, and ringing an awake
 * worker costs one load. No turn of the loop polls: a sleeper without a timeout sleeps until it is rung.
 *
 * Dozing. Waking a thread for every few items costs more than the items. A worker that has just been busy
 * therefore dozes first: it announces DOZING instead of ASLEEP and waits for DOZE_MS at most. A writer wakes a dozing
 * reader when its lane is half full, when it puts something large, which would grow cold in the processor's cache, or
 * when the writer is about to wait itself (`QueueWriter.flush`); any other ring wakes it at once. If neither comes, the doze
 * ends by itself, so an item waits for a doze at the longest (and, where the worker may spin before it, for that);
 * then the worker sleeps for good. A doze is one timed wait per idle period, not a poll. Nor does a dozing reader get up for
 * the first item: it would run after the writer item by item, each time through both cores' caches.
 *
 * A ring that meets a thread which died asleep is lost together with that thread; its next life looks
 * at everything before it sleeps, so nothing depends on the ring having arrived. A ringer that dies between the two halves
 * of its step 3 leaves a bell that says AWAKE and a sleeper that was not woken: to every ring after that it seems awake.
 * So whoever learns of a death rings all by `ringAnyway`, which does not believe the word.
 *
 * What it waits for. A sleeper may say that it waits for items alone, or for room alone: then it need not be rung for the
 * other (`mayWantItems`, `mayWantRoom`), and a worker does not get up in vain each time its reader takes one of a few items.
 * Whatever else happens is told to all by `ring`.
 *
 * Several waits of one thread may share a bell (two pending `get`s). Therefore only a ringer sets AWAKE
 * while an asynchronous wait is pending, and everyone who wakes looks again.
 */
import {
  compareExchange,
  load,
  notifyAll,
  peek,
  poke,
  store,
  type Words,
  wait,
  waitAsync,
} from './atomics.ts'

export const AWAKE = 0
const ASLEEP = 1
export const DOZING = 2
const FOR_ITEMS = 3
const FOR_ROOM = 4
/** What a sleeper waits for, besides the end and the stop, which everybody is told of. */
export const ANYTHING = ASLEEP
export const ITEMS = FOR_ITEMS
export const ROOM = FOR_ROOM
export type Want = typeof ANYTHING | typeof ITEMS | typeof ROOM
/** Any lower value: nobody sleeps here, and a ring goes on to the bell whose word is this much below it. */
const LINKED = -1
/** Offset, from the bell's word, of the count of wake-ups; written by the sleeper alone. */
const WAKE_UPS = 1
/** Words per bell: a cache line, so that ringing one worker does not slow down another. */
export const BELL_WORDS = 16

const MIN_SPINS = 8
/**
 * Where looking has not helped, one wait in so many looks as long as it may all the same: it may help by now. Odd, because
 * dozes and sleeps often take turns, and both are to be tried.
 */
const WAITS_PER_TRIAL = 15
/** A timer that should last longer would fire at once; the waiter looks again and goes on waiting. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** How long a doze lasts, at most. */
export const DOZE_MS = 1
/** Instead of a time that is left. */
const READY = Number.NEGATIVE_INFINITY

export class Doorbell {
  readonly #words: Words
  readonly #word: number
  /** The word of the bell that a ring goes on to: its own, as far as is known. */
  #rung: number
  /** Whether the one waitAsync that this thread may have on this bell is outstanding. */
  #isPending = false
  /** Who waits for it. Who gives up takes itself out: nothing is left on a promise that may live long. */
  readonly #waiters = new Set<() => void>()
  #maxSpins = 0
  #spins = 0
  /** Waits since the last trial. */
  #waits = 0

  constructor(words: Words, word: number) {
    this.#words = words
    this.#word = word
    this.#rung = word
  }

  /** How often the sleeper was woken, or woke by its timeout. */
  get wakeUps(): number {
    return peek(this.#words, this.#word + WAKE_UPS)
  }

  /** AWAKE, DOZING, or what it sleeps for. */
  get sleep(): number {
    return this.#state()
  }

  get isAwake(): boolean {
    return this.#state() === AWAKE
  }

  get isAsleep(): boolean {
    const state = this.#state()
    return state !== AWAKE && state !== DOZING
  }

  /** Whether it sleeps, and for anything but room alone. */
  get mayWantItems(): boolean {
    const state = this.#state()
    return state === ASLEEP || state === FOR_ITEMS
  }

  /** Whether it sleeps, and for anything but items alone. */
  get mayWantRoom(): boolean {
    const state = this.#state()
    return state === ASLEEP || state === FOR_ROOM
  }

  /**
   * Lets a thread look up to `turns` times before it dozes or sleeps. Worth it only where the thread that is
   * waited for has a core of its own; adapts down when looking does not help.
   */
  allowSpinning(turns: number): void {
    this.#maxSpins = turns
    this.#spins = turns
  }

  get isDozing(): boolean {
    return this.#state() === DOZING
  }

  /**
   * From now on, for every thread, ringing this bell rings that one of the same board: a worker that holds ends with
   * different bells sleeps on one of them. Before anyone sleeps on this one.
   */
  linkTo(other: Doorbell): void {
    store(this.#words, this.#word, LINKED - other.#word)
  }

  /** Wakes the sleeper, if it sleeps or dozes. Call it after the change is visible. */
  ring(): void {
    const state = this.#state()
    if (state === AWAKE) return
    if (compareExchange(this.#words, this.#rung, state, AWAKE) === state) {
      notifyAll(this.#words, this.#rung)
    }
  }

  /** Wakes the sleeper also if the bell says that it is awake: who rang it last may have died before it notified. */
  ringAnyway(): void {
    const state = this.#state()
    if (state !== AWAKE) compareExchange(this.#words, this.#rung, state, AWAKE)
    notifyAll(this.#words, this.#rung)
  }

  /** Blocks this thread until it is rung, at most for a short doze; not at all if it is worth waking already. */
  dozeSync(isWorthWaking: () => boolean): void {
    if (this.#spin(isWorthWaking)) return
    store(this.#words, this.#word, DOZING)
    if (!isWorthWaking()) {
      wait(this.#words, this.#word, DOZING, DOZE_MS)
      this.#countWakeUp()
    }
    // A pending asynchronous wait of this thread relies on ASLEEP; one that only seems to doze might not be rung.
    store(this.#words, this.#word, this.#isPending ? ASLEEP : AWAKE)
  }

  /** Blocks this thread until `ready()`; false if `timeoutMs` passed first. */
  waitSync(ready: () => boolean, timeoutMs = Number.POSITIVE_INFINITY, want: Want = ANYTHING): boolean {
    if (this.#spin(ready)) return true
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const leftMs = this.#sleepSync(ready, deadline, want)
      if (leftMs > 0 && !ready()) continue
      this.#getUp()
      return leftMs === READY || leftMs > 0
    }
  }

  /** Blocks this thread until `ready()`, or until it was rung once, for whatever reason. */
  sleepSync(ready: () => boolean, want: Want = ANYTHING): void {
    if (this.#spin(ready)) return
    this.#sleepSync(ready, Number.POSITIVE_INFINITY, want)
    this.#getUp()
  }

  /** One sleep, after the announcement and the second look; what was left until the deadline, or that it was READY. */
  #sleepSync(ready: () => boolean, deadline: number, want: Want): number {
    // A pending asynchronous wait of this thread may be for something else.
    const asleep = this.#isPending ? ASLEEP : want
    store(this.#words, this.#word, asleep)
    if (ready()) return READY
    const leftMs = deadline - performance.now()
    if (leftMs > 0) {
      wait(this.#words, this.#word, asleep, leftMs === Number.POSITIVE_INFINITY ? undefined : leftMs)
      this.#countWakeUp()
    }
    return leftMs
  }

  /** A pending asynchronous wait of this thread still relies on ASLEEP. */
  #getUp(): void {
    if (!this.#isPending) store(this.#words, this.#word, AWAKE)
  }

  /** Waits on the event loop until `ready()`; false if `timeoutMs` passed first. Keeps the process alive. */
  async wait(ready: () => boolean, timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      store(this.#words, this.#word, ASLEEP)
      if (ready()) return true
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return false
      if (this.#isOutstanding()) await this.#nextRing(leftMs)
      this.#countWakeUp()
      if (ready()) return true
    }
  }

  /** Of the bell that is rung: a link, once there, stays. */
  #state(): number {
    let state = load(this.#words, this.#rung)
    while (state <= LINKED) {
      this.#rung = LINKED - state
      state = load(this.#words, this.#rung)
    }
    return state
  }

  #spin(ready: () => boolean): boolean {
    const turns = this.#turns()
    for (let turn = 0; turn < turns; turn++) {
      if (ready()) {
        this.#spins = Math.min(this.#maxSpins, turns * 2)
        return true
      }
    }
    if (turns > 0) this.#spins = Math.max(MIN_SPINS, this.#spins >> 1)
    return false
  }

  #turns(): number {
    if (this.#maxSpins === 0 || this.#spins > MIN_SPINS) return this.#spins
    if (++this.#waits < WAITS_PER_TRIAL) return this.#spins
    this.#waits = 0
    return this.#maxSpins
  }

  /** Sees to it that the waitAsync is outstanding; false if the bell was rung already. */
  #isOutstanding(): boolean {
    if (this.#isPending) return true
    const waiting = waitAsync(this.#words, this.#word, ASLEEP)
    if (!waiting.async) return false
    this.#isPending = true
    void waiting.value.then(() => {
      this.#isPending = false
      for (const wake of this.#waiters) wake()
    })
    return true
  }

  /** Resolves at the next ring, or after `leftMs`, with the process kept alive: a pending waitAsync alone does not. */
  #nextRing(leftMs: number): Promise<void> {
    hold()
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiters.delete(wake)
        release()
        resolve()
      }
      const timer =
        leftMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(wake, Math.min(leftMs, MAX_TIMER_MS))
      this.#waiters.add(wake)
    })
  }

  #countWakeUp(): void {
    const at = this.#word + WAKE_UPS
    poke(this.#words, at, peek(this.#words, at) + 1)
  }
}

/** Resolves at the next notify on the word, at once if it no longer has the value. Keeps nothing alive. */
export async function nextNotify(words: Words, word: number, value: number): Promise<void> {
  const waiting = waitAsync(words, word, value)
  if (waiting.async) await waiting.value
}

let holds = 0
let holder: NodeJS.Timeout | undefined

function hold(): void {
  if (holds++ === 0) holder = setInterval(() => {}, 2 ** 30)
}

function release(): void {
  if (--holds === 0) clearInterval(holder)
}
