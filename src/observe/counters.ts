/**
 * What each worker counts of itself, in shared memory, so that it survives the worker.
 *
 * One writer: the worker, in all its lives; between two lives the supervisor. Items are settled in three steps: note
 * what became of them, give their records back (the lanes' heads), count them. A worker that dies between two of them
 * leaves enough to tell how far it came: see `settleUncounted` in host/take-up.ts and run/account.ts.
 */

import { SERVICE_BYTES, ServiceTimes } from './service-times.ts'

/** What became of an item that a worker took in hand. */
export const OUT = 0
export const DROPPED = 1
export const FAILED = 2
export const ABANDONED = 3
export type Outcome = typeof OUT | typeof DROPPED | typeof FAILED | typeof ABANDONED

/** Life of a worker. It has ended well only if it wrote DONE: exit code 0 proves nothing. */
export const STARTING = 0
export const READY = 1
export const RUNNING = 2
export const DONE = 3

/** What a worker is doing. */
export const WAITING = 0
export const WORKING = 1
/** Waiting for room for an output, or for leave to begin (rate limit, retry delay, pause): not the user's code. */
export const HELD = 2
export type Phase = typeof WAITING | typeof WORKING | typeof HELD

const STARVED_MS = 4
const BLOCKED_MS = 5
const STARTED_MS = 6
const ENDED_MS = 7
const READ = 8
const RETRIED = 9
const FINAL_UP_TO = 10
const LOST = 11
const HOP_SAMPLES = 12
const WORK_MS = 13
const HOP_MS = 14
const FLOATS = 16

const LIFE = 0
const IN_HAND = 1
const NOTED = 2
/** And the word after it. */
const WRITES = 3
const UNREAD = 5
const NOTED_TICKET = 6
const IN_HAND_LOW = 7
const IN_HAND_HIGH = 8
const ATTEMPT = 9
const PHASE = 10
const TOLD = 11
const TURNS = 12
const HELD_ITEMS = 13
const BATCH_MARK = 14
const FATAL_TICKET = 15
const LAUNCHES = 16
const UNITS = 17
const INTS = 32

/** Bytes of one worker's counters. */
export const COUNTER_BYTES = FLOATS * 8 + INTS * 4 + SERVICE_BYTES

const TWO_32 = 2 ** 32
/** Stored in place of a ticket where there is none. Tickets are stored plus one. */
const NONE = 0

export class WorkerCounters {
  readonly #floats: Float64Array
  readonly #ints: Int32Array
  readonly serviceTimes: ServiceTimes

  constructor(memory: SharedArrayBuffer, index: number) {
    this.#floats = new Float64Array(memory, index * COUNTER_BYTES, FLOATS)
    this.#ints = new Int32Array(memory, index * COUNTER_BYTES + FLOATS * 8, INTS)
    this.serviceTimes = new ServiceTimes(memory, index * COUNTER_BYTES + FLOATS * 8 + INTS * 4)
  }

  get life(): number {
    return Atomics.load(this.#ints, LIFE)
  }
  set life(life: number) {
    Atomics.store(this.#ints, LIFE, life)
  }

  /** The worker is about to process this item (of several in hand: the last one). `ticket`: see input-reader.ts. */
  take(ticket: number, item: number): void {
    const ints = this.#ints
    ints[IN_HAND_LOW] = item | 0
    ints[IN_HAND_HIGH] = item < TWO_32 ? 0 : Math.floor(item / TWO_32)
    ints[IN_HAND] = (ticket + 1) | 0
    ints[PHASE] = WORKING
  }

  /** How many items it has in hand. */
  set held(count: number) {
    this.#ints[HELD_ITEMS] = count
  }
  get held(): number {
    return this.#ints[HELD_ITEMS]
  }

  /** How often it was launched; a restart after a death is no launch. Written by the supervisor before a life begins. */
  get launches(): number {
    return this.#ints[LAUNCHES]
  }
  countLaunch(): void {
    this.#ints[LAUNCHES]++
  }

  /** How many units it has in hand: items, or batches of them. 0 where it takes one item at a time. */
  set units(count: number) {
    this.#ints[UNITS] = count
  }
  get units(): number {
    return this.#ints[UNITS]
  }

  /** Mark of the newest batch that it has closed: see host/unit-gatherer.ts. */
  set batchMark(mark: number) {
    this.#ints[BATCH_MARK] = mark
  }
  get batchMark(): number {
    return this.#ints[BATCH_MARK]
  }

  /** Before the records are given back. */
  note(ticket: number, outcome: Outcome): void {
    this.#ints[NOTED] = outcome
    this.#ints[NOTED_TICKET] = (ticket + 1) | 0
  }

  /** In place of that: the item stays where it is, and nobody will take it up. */
  leave(ticket: number, outcome: Outcome): void {
    if (outcome === FAILED) this.#ints[FATAL_TICKET] = (ticket + 1) | 0
    else this.note(ticket, outcome)
    this.dropHand()
  }
  /** Whether it is the item that ended the run. */
  isFatal(ticket: number): boolean {
    return this.#ints[FATAL_TICKET] === ((ticket + 1) | 0)
  }

  /** After the records were given back. */
  count(outcome: Outcome, items = 1): void {
    this.#floats[outcome] += items
    this.#ints[IN_HAND] = NONE
    this.#ints[PHASE] = WAITING
    this.#ints[ATTEMPT] = 0
    this.#ints[TURNS]++
  }

  /** Whether it has begun an item and not settled it. */
  get hasInHand(): boolean {
    return this.#ints[IN_HAND] !== NONE
  }

  /** Number, at its source, of the item in hand; 0: none. */
  get inHand(): number {
    if (this.#ints[IN_HAND] === NONE) return 0
    return (this.#ints[IN_HAND_LOW] >>> 0) + this.#ints[IN_HAND_HIGH] * TWO_32
  }

  /** Ticket of the item in hand; undefined: none. */
  get ticketInHand(): number | undefined {
    const stored = this.#ints[IN_HAND]
    return stored === NONE ? undefined : (stored - 1) >>> 0
  }

  /** The item in hand was left to the next life: it has nothing in hand now. */
  dropHand(): void {
    this.#ints[IN_HAND] = NONE
    this.#ints[PHASE] = WAITING
  }

  get noted(): Outcome {
    return this.#ints[NOTED] as Outcome
  }
  /** Whether the outcome of this item was the last that was noted. */
  isNoted(ticket: number): boolean {
    return this.#ints[NOTED_TICKET] === ((ticket + 1) | 0)
  }
  /** Ticket of the item whose outcome was noted last: its outputs are published. */
  get notedTicket(): number | undefined {
    const stored = this.#ints[NOTED_TICKET]
    return stored === NONE ? undefined : (stored - 1) >>> 0
  }

  /** Which try of the item in hand this is, from 1; 0: not known. */
  get attempt(): number {
    return this.#ints[ATTEMPT]
  }
  set attempt(attempt: number) {
    this.#ints[ATTEMPT] = attempt
  }

  get phase(): Phase {
    return this.#ints[PHASE] as Phase
  }
  set phase(phase: Phase) {
    this.#ints[PHASE] = phase
  }

  /** A sign of life other than an item settled. */
  beat(): void {
    this.#ints[TURNS]++
  }
  /** Changes with every item settled, and with every other sign of life, modulo 2^32: for a watchdog. */
  get turns(): number {
    return this.#ints[TURNS]
  }

  of(outcome: Outcome): number {
    return this.#floats[outcome]
  }

  /** Items settled, whatever became of them. */
  get settled(): number {
    const floats = this.#floats
    return floats[OUT] + floats[DROPPED] + floats[FAILED] + floats[ABANDONED] + floats[LOST]
  }

  /** Items that an earlier life had taken out of their queue, and took with it. */
  get lost(): number {
    return this.#floats[LOST]
  }
  countLost(items: number): void {
    this.#floats[LOST] += items
  }

  /** Items a source has read. */
  get read(): number {
    return this.#floats[READ]
  }
  countRead(): void {
    this.#floats[READ]++
  }
  /** A source's next life reads again what was not settled. */
  readAgain(): void {
    this.#floats[READ] = this.settled
  }

  /** Tries of an item after its first. */
  get retried(): number {
    return this.#floats[RETRIED]
  }
  countRetry(): void {
    this.#floats[RETRIED]++
  }

  /** Failures of items that it has told of. Stored before the item is given back, so whoever sees the item gone sees it. */
  get told(): number {
    return Atomics.load(this.#ints, TOLD)
  }
  countTold(): void {
    Atomics.add(this.#ints, TOLD, 1)
  }

  /** Of a source: its items up to this one are final. */
  get finalUpTo(): number {
    return this.#floats[FINAL_UP_TO]
  }
  set finalUpTo(item: number) {
    this.#floats[FINAL_UP_TO] = item
  }

  /** The worker has written to stdout (1) or stderr (2). */
  noteWrite(fd: 1 | 2): void {
    this.#ints[WRITES + fd - 1]++
  }
  /** How often it has, modulo 2^32. */
  writes(fd: 1 | 2): number {
    return this.#ints[WRITES + fd - 1]
  }

  /** Whether the worker found that nobody reads stdout any more. */
  get isUnread(): boolean {
    return this.#ints[UNREAD] === 1
  }
  set isUnread(is: boolean) {
    this.#ints[UNREAD] = is ? 1 : 0
  }

  /** The clock of its first life goes on in the later ones. */
  startClock(nowMs: number): void {
    if (this.#floats[STARTED_MS] === 0) this.#floats[STARTED_MS] = nowMs
    this.#floats[ENDED_MS] = 0
  }
  stopClock(nowMs: number): void {
    this.#floats[ENDED_MS] = nowMs
  }
  addStarved(ms: number): void {
    this.#floats[STARVED_MS] += ms
  }
  addBlocked(ms: number): void {
    this.#floats[BLOCKED_MS] += ms
  }

  /** Time spent waiting for room, as far as those waits are over. */
  get blockedMs(): number {
    return this.#floats[BLOCKED_MS]
  }

  /** An item whose time was taken: that of the process function, and that of the hop. */
  addHopSample(workMs: number, hopMs: number): void {
    this.#floats[HOP_SAMPLES]++
    this.#floats[WORK_MS] += workMs
    this.#floats[HOP_MS] += hopMs
  }
  get hopSamples(): { count: number; workMs: number; hopMs: number } {
    return { count: this.#floats[HOP_SAMPLES], workMs: this.#floats[WORK_MS], hopMs: this.#floats[HOP_MS] }
  }

  /** How the time since its start was spent, in milliseconds. A wait that still lasts counts as busy. */
  times(nowMs: number): { busyMs: number; starvedMs: number; blockedMs: number } {
    const started = this.#floats[STARTED_MS]
    const lifeMs = started === 0 ? 0 : (this.#floats[ENDED_MS] || nowMs) - started
    const starvedMs = this.#floats[STARVED_MS]
    const blockedMs = this.#floats[BLOCKED_MS]
    return { busyMs: Math.max(0, lifeMs - starvedMs - blockedMs), starvedMs, blockedMs }
  }
}

/** A clock that all threads of the process share, in milliseconds. */
export function sharedNowMs(): number {
  return performance.timeOrigin + performance.now()
}

export function allocateCounters(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * COUNTER_BYTES)
}
