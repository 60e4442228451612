/**
 * Runs the threads of a world, one at a time, as far as it is known what their operations return.
 *
 * `extend` runs a thread's code from its beginning: each operation on shared words returns what it returned in the
 * history that is asked for; the first one after that ends the run, by throwing, and is the thread's next step. So the
 * shipped code runs as it is, uncut, and the scheduler has it in hand at every operation. What was found is kept as local
 * states (local-state.ts): each piece of code is run once for each history, however often schedules come by.
 */

import { describeState } from './describe-state.ts'
import { LocalState, type Operation, plainAfter } from './local-state.ts'
import {
  ADD,
  AND,
  COMPARE_EXCHANGE,
  FAILED,
  FINISHED,
  IDLE,
  NOT_EQUAL,
  NOTIFY,
  OR,
  POKE,
  STORE,
  UNTIL,
  WAIT,
  WAIT_ASYNC,
  writes,
} from './operations.ts'
import { renewModules } from './shipped-globals.ts'
import { forgetJobs, jobsLeft, runJobs, SmallPromise, STOP } from './small-promise.ts'
import { type Findings, type Word, WordTable } from './word-table.ts'

/** Asynchronous waits that a thread may have outstanding. */
export const SLOTS = 3
/** More operations than any thread of a world needs: it goes round in circles. */
const MOST_OPERATIONS = 5000
/** Operations that a thread is run on ahead. */
const MOST_AHEAD = 60

export interface ThreadSpec {
  name: string
  run: () => unknown
  /** It may be killed at any step, as long as the world has deaths left. */
  mayDie?: boolean
  /** It begins when another thread says so: see `Explorer.begin`. */
  isLater?: boolean
}

/** The words by which the scheduler and a thread know of each other. */
export interface ThreadWords {
  /** 0: not yet; 1: at its end; 2: killed. */
  ended: number
  /** 1: it may begin. */
  begun: number
  /** 1: it has said that it is ready; 2: it ended before it did. */
  said: number
  /** Per asynchronous wait: word + 1 while it waits, -1 when it was notified. */
  slots: number[]
}

/** Thrown when something was learned about the words that makes everything found so far worthless. */
export const RESTART = { toString: () => 'a word turned out to be shared' }

interface AsyncWait {
  resolve: (value: unknown) => void
}

export interface ThreadOptions {
  merges: boolean
  isFine: boolean
  isFirstLook: boolean
  reduces: boolean
}

export class Threads {
  readonly table: WordTable
  readonly specs: ThreadSpec[] = []
  readonly own: ThreadWords[] = []
  /** See RESTART. */
  mustRestart = false
  /** In a first look: something was found out about the words that was not known. */
  foundMore = false
  /** Local states made. */
  states = 0
  /** Where the operation that ended the last run stands in the code, if `wantsStack`. */
  stack: string | undefined
  wantsStack = false
  /** Told of each operation whose result is known, and of that. */
  watch: ((kind: number, word: number, result: number) => void) | undefined
  /** Reads a word outside of all threads: before they begin, or after they ended. */
  direct: { read: (word: number) => number; write: (word: number, value: number) => void }
  /** What a word holds now: with it a thread is run on ahead of its schedule. Undefined: it is not. */
  now: ((word: number) => number) | undefined
  /** Whether local states that checkpoints find to be equal are one. */
  readonly #merges: boolean
  readonly #isFine: boolean
  readonly #isFirstLook: boolean
  readonly #known: Map<string, LocalState>[] = []

  readonly #remains = new Map<string, number>()

  // Of the thread that runs now.
  current = -1
  readonly #history: number[] = []
  /** How many results were given. */
  #began = 0
  #at = 0
  #isUnwinding = false
  #digest: string | undefined
  /** The state that was left last, and the result with which. */
  #from: LocalState | undefined
  #fromResult = 0
  /** The first state that this run came to. */
  #arrived: LocalState | undefined
  /** Whether states are made: not if only the words of the thread, or its stack, are asked for. */
  #makes = false
  /** What it wrote, run on ahead. */
  readonly #ahead = new Map<number, number>()
  #log: string[] = []
  #roots: readonly unknown[] = []
  /** What was read last, and may still be in a variable only. */
  #held: unknown
  /** Objects with private fields, in the order in which they were made. */
  readonly #objects: object[] = []
  /** The async functions that are under way. */
  readonly #frames = new Set<{ name: string }>()
  readonly #overlay = new Map<number, number>()
  #tasks: (() => void)[] = []
  #waits: (AsyncWait | undefined)[] = []
  #operations = 0

  constructor(findings: Findings, options: ThreadOptions) {
    this.table = new WordTable(findings, options.reduces)
    this.#merges = options.merges
    this.#isFine = options.isFine
    this.#isFirstLook = options.isFirstLook
    this.direct = {
      read: (word) => this.table.words[word].initial,
      write: (word, value) => {
        this.table.words[word].initial = value
      },
    }
  }

  add(specs: readonly ThreadSpec[]): void {
    for (const spec of specs) {
      const thread = this.specs.length
      const word = (what: string): Word => {
        const made = this.table.add(`${thread}.${what}`, `${spec.name}.${what}`)
        made.found.isShared = true
        made.isShared = true
        // The scheduler writes them on the thread's behalf.
        made.found.writers |= 1 << thread
        return made
      }
      this.specs.push(spec)
      this.#known.push(new Map())
      const begun = word('begun')
      begun.initial = spec.isLater ? 0 : 1
      begun.found.writers &= ~(1 << thread)
      this.own.push({
        ended: word('ended').id,
        begun: begun.id,
        said: word('said').id,
        slots: Array.from({ length: SLOTS }, (_, slot) => word(`waitAsync${slot}`).id),
      })
    }
  }

  root(thread: number): LocalState {
    return this.extend(thread, undefined, 0)
  }

  /**
   * The local state that follows when the operation of `from` returns `result`. While the thread's code is there, it is run on
   * ahead, with the results that its operations would have now, and the states on its way are kept: they will be asked for.
   */
  extend(thread: number, from: LocalState | undefined, result: number): LocalState {
    this.#prepare(thread, from, result)
    this.#makes = true
    const end = this.#run(thread)
    this.#makes = false
    this.current = -1
    forgetJobs()
    if (this.mustRestart) throw RESTART
    if (end !== undefined) {
      this.current = thread
      if (end.kind === FINISHED) this.#digest = `end${this.#rest()}`
      const known = this.#digest === undefined ? undefined : this.#known[thread].get(this.#digest)
      if (known !== undefined) this.#comeTo(known)
      else this.#arrive(end)
      this.current = -1
    }
    return this.#arrived as LocalState
  }

  /** A new state, in which the thread is about to do this. */
  #arrive(operation: Operation): LocalState {
    const from = this.#from
    const isRacy = operation.word >= 0 && (this.#isFine || this.table.words[operation.word].isRacy)
    const last = from?.log ?? []
    const log = last.length === this.#log.length ? last : this.#log
    const came = { parent: from, result: this.#fromResult, log }
    const state = new LocalState(++this.states, operation, isRacy, came)
    if (this.#digest !== undefined) this.#known[this.current].set(this.#digest, state)
    this.#comeTo(state)
    return state
  }

  #comeTo(state: LocalState): void {
    this.#from?.link(this.#fromResult, state)
    this.#arrived ??= state
  }

  /** What the operation would return now; undefined: that is not looked for, or depends on others. */
  #foresee({ kind, word, first, second }: Operation): number | undefined {
    if (this.now === undefined || word < 0 || this.#history.length - this.#began > MOST_AHEAD)
      return undefined
    if (kind > POKE && kind !== OR && kind !== AND) return undefined
    const before = this.#ahead.get(word) ?? this.now(word)
    const after = change(kind, before, first, second)
    if (after !== before) this.#ahead.set(word, after)
    return kind === STORE || kind === POKE ? first : before
  }

  /** Values of the words that nobody but this thread touches, when it is there. */
  ownWords(thread: number, at: LocalState): Map<number, number> {
    const { parent } = at
    this.#prepare(thread, parent, at.result)
    this.#run(thread)
    this.current = -1
    forgetJobs()
    return new Map(this.#overlay)
  }

  #prepare(thread: number, from: LocalState | undefined, result: number): void {
    const history = this.#history
    history.length = from === undefined ? 0 : from.depth + 1
    this.#began = history.length
    let at = history.length - 1
    let value = result
    for (let state = from; state !== undefined; state = state.parent) {
      history[at--] = value
      value = state.result
    }
    renewModules()
    this.current = thread
    this.#at = 0
    this.#isUnwinding = false
    this.#digest = undefined
    this.#from = from
    this.#fromResult = result
    this.#arrived = undefined
    this.#ahead.clear()
    this.#log = []
    this.#roots = []
    this.#held = undefined
    this.#objects.length = 0
    this.#frames.clear()
    this.#overlay.clear()
    this.#tasks = []
    this.#waits = []
    this.#operations = 0
  }

  /** Runs the thread's code; how it ended, if it came to its end. */
  #run(thread: number): Operation | undefined {
    const ended = (kind: number, text: string): Operation => ({
      kind,
      word: -1,
      first: 0,
      second: 0,
      isTimed: false,
      text,
    })
    let failure: unknown
    let hasFailed = false
    try {
      this.operate(UNTIL, this.own[thread].begun, 0)
      this.#runToEnd(this.specs[thread].run())
    } catch (error) {
      if (error !== STOP) {
        failure = error
        hasFailed = true
      }
    }
    if (this.#isUnwinding) return undefined
    if (hasFailed) return ended(FAILED, failure instanceof Error ? `${failure.stack}` : String(failure))
    return ended(FINISHED, '')
  }

  /** Lets the event loop of a thread turn until what it runs is settled. */
  #runToEnd(running: unknown): void {
    if (!(running instanceof SmallPromise)) return
    let isSettled = false
    let rejection: { reason: unknown } | undefined
    running.then(
      () => {
        isSettled = true
      },
      (reason) => {
        isSettled = true
        rejection = { reason }
      },
    )
    for (;;) {
      runJobs()
      if (this.#isUnwinding) throw STOP
      if (rejection !== undefined) throw rejection.reason
      if (isSettled) return
      const task = this.#tasks.shift()
      if (task !== undefined) task()
      else {
        const slot = this.operate(IDLE, -1, 0)
        const wait = this.#waits[slot]
        this.#waits[slot] = undefined
        wait?.resolve('ok')
      }
    }
  }

  /** What shared code does to a word, or to be told: the one way in. */
  operate(kind: number, word: number, first: number, second = 0, isTimed = false): number {
    const thread = this.current
    if (thread < 0) return this.#operateDirectly(kind, word, first, second)
    if (this.#isUnwinding) throw STOP
    if (++this.#operations > MOST_OPERATIONS) throw new Error('it goes round in circles')
    if (word >= 0) {
      const isWrite = writes(kind) || kind === NOTIFY
      if (this.table.touch(word, thread, kind !== STORE && kind !== POKE, isWrite)) this.#learn()
      const { found, isShared, isStatistic } = this.table.words[word]
      if (isStatistic || !(isShared || this.#isFirstLook)) {
        if (kind !== WAIT && kind !== WAIT_ASYNC && kind !== NOTIFY && kind !== UNTIL) {
          return this.#operateAlone(kind, word, first, second)
        }
        found.isShared = true
        this.#giveUp(true)
      }
    }
    if (this.#at < this.#history.length) {
      const result = this.#history[this.#at++]
      this.watch?.(kind, word, result)
      return result
    }
    if (this.wantsStack) this.stack = new Error().stack
    if (!this.#makes) this.#giveUp(false)
    if (word >= 0 && this.table.words[word].isBell) this.#mergeAtBell(kind, word, first, second)
    const operation = { kind, word, first, second, isTimed, text: '' }
    const state = this.#arrive(operation)
    const result = this.#foresee(operation)
    if (result === undefined || state.next(result) !== undefined) return this.#giveUp(false)
    this.#from = state
    this.#fromResult = result
    this.#digest = undefined
    this.#history.push(result)
    this.#at++
    return result
  }

  /** A word turned out to be shared. */
  #learn(): void {
    if (this.#isFirstLook) this.foundMore = true
    else this.#giveUp(true)
  }

  /**
   * A checkpoint inside the shipped code: where it rings, or goes to sleep, no caller has anything in its variables that is not
   * in the objects of the last checkpoint too, or follows from where it stands: which functions are on the stack, which async
   * ones are under way. A test compares small worlds with and without merging.
   */
  #mergeAtBell(kind: number, word: number, first: number, second: number): void {
    if (!this.#merges || this.#roots.length === 0) return
    if (kind === STORE && first === 0) return
    const place = shippedFrames()
    if (!/Doorbell\.(ring|#sleepSync|dozeSync) /.test(place[0])) return
    // Rings in the middle of a look: whoever looks has seen something, and not yet kept it.
    if (place.some((frame) => /refresh|isReady|lookAround|passOnDrops/.test(frame))) return
    const text = `${kind} ${word} ${first} ${second} ${this.#everything()}`
    this.#meet(text)
  }

  /** The same once more, with the roots of the last one. */
  checkpointAgain(): void {
    if (this.current < 0 || this.#roots.length === 0 || !this.#isAtFrontier()) return
    this.#meet(this.#everything())
  }

  /** The thread has read this, and may have it in a variable only: checkpoints count it until the next of its own. */
  hold(value: unknown): void {
    this.#held = value
  }

  #isAtFrontier(): boolean {
    return this.#merges && this.#makes && !this.#isUnwinding && this.#at >= this.#history.length
  }

  #everything(): string {
    const frames = [...this.#frames].map(({ name }) => name).join()
    const loop = `${jobsLeft()} ${this.#tasks.length}`
    const place = shippedFrames().join()
    return `${describeState([...this.#roots, this.#held, ...this.#objects])} ${place} ${frames} ${loop} ${this.#rest()}`
  }

  /** A new object of shipped code: part of what the thread knows. Bells are met where they are kept. */
  noteObject(object: object): void {
    if (this.current < 0 || this.#objects.at(-1) === object || object.constructor.name.endsWith('Doorbell'))
      return
    this.#objects.push(object)
  }

  /** An async function of shipped code has begun. */
  enter(make: (...parameters: unknown[]) => unknown): object {
    const frame = { name: nameOf(make) }
    this.#frames.add(frame)
    return frame
  }

  leave(frame: object): void {
    this.#frames.delete(frame as { name: string })
  }

  #meet(text: string): void {
    const known = this.#known[this.current].get(text)
    if (known !== undefined) {
      this.#comeTo(known)
      this.#giveUp(false)
    }
    this.#digest = text
  }

  #giveUp(mustRestart: boolean): never {
    if (mustRestart) this.mustRestart = true
    this.#isUnwinding = true
    throw STOP
  }

  #operateAlone(kind: number, word: number, first: number, second: number): number {
    const overlay = this.#overlay
    const before = overlay.get(word) ?? this.table.words[word].initial
    const after = change(kind, before, first, second)
    if (after !== before) overlay.set(word, after)
    this.watch?.(kind, word, kind === STORE || kind === POKE ? first : before)
    return kind === STORE || kind === POKE ? first : before
  }

  /** Runs what a thread would do before any thread begins, all of it at once. @throws if it would have to wait */
  runBefore(run: () => unknown): void {
    this.#tasks = []
    this.#runToEnd(run())
  }

  #operateDirectly(kind: number, word: number, first: number, second: number): number {
    if (kind === NOTIFY) return 0
    if (kind === IDLE || kind === UNTIL || kind === WAIT || kind === WAIT_ASYNC) {
      throw new Error('it would have to wait, and no thread has begun')
    }
    const before = this.direct.read(word)
    const after = change(kind, before, first, second)
    if (after !== before) this.direct.write(word, after)
    return kind === STORE || kind === POKE ? first : before
  }

  /** Begins an asynchronous wait; undefined if the word differs. */
  waitAsync(word: number, value: number): SmallPromise | undefined {
    const slot = this.#freeSlot()
    if (this.operate(WAIT_ASYNC, word, value, slot) === NOT_EQUAL) return undefined
    return new SmallPromise((resolve) => {
      this.#waits[slot] = { resolve }
    })
  }

  #freeSlot(): number {
    for (let slot = 0; slot < SLOTS; slot++) if (this.#waits[slot] === undefined) return slot
    throw new Error('a thread has too many asynchronous waits')
  }

  addTask(task: () => void): void {
    this.#tasks.push(task)
  }

  /** The thread notes something: what it took, how it ended. Its notes are judged at the end of a schedule. */
  note(text: string): void {
    if (this.current >= 0 && !this.#isUnwinding) this.#log = [...this.#log, text]
  }

  /**
   * Says that `roots`, with everything that can be reached from them, is all that the thread knows. If it has been there
   * before, by other results, it goes on from that state.
   */
  checkpoint(roots: readonly unknown[]): void {
    if (this.current < 0) return
    this.#roots = roots
    this.#held = undefined
    if (this.#isAtFrontier()) this.#meet(this.#everything())
  }

  /** What makes up a local state besides the values that the code holds. */
  #rest(): string {
    const { words } = this.table
    let text = ''
    for (const [word, value] of [...this.#overlay].sort((one, other) => one[0] - other[0])) {
      if (!words[word].isStatistic && value !== words[word].initial) text += `;${word}=${value}`
    }
    const waits = this.#waits.map((wait) => wait !== undefined).join()
    const plain = [plainAfter(this.#from, true), plainAfter(this.#from, false)].map(
      (bits) => bits?.join() ?? '',
    )
    return `${text}|${this.#log.join(',')}|${waits}|${plain.join('|')}`
  }

  /** A number for all that still matters of a thread that died there. */
  remains(thread: number, { log, plainWrites }: LocalState): number {
    const text = `${thread}|${log.join(',')}|${plainWrites?.join() ?? ''}`
    let number = this.#remains.get(text)
    if (number === undefined) {
      number = this.#remains.size + 1
      this.#remains.set(text, number)
    }
    return number
  }
}

const frameNames = new Map<string, string>()

/** A function by its text: each call makes another object of it. */
function nameOf(make: (...parameters: unknown[]) => unknown): string {
  const text = make.toString()
  let name = frameNames.get(text)
  if (name === undefined) {
    name = `async${frameNames.size}`
    frameNames.set(text, name)
  }
  return name
}

interface Site {
  getPosition(): number
  getScriptNameOrSourceURL(): string
}

/** Frames by where they stand in the joined text: '' if they stand elsewhere. Each is made to text once. */
const frameTexts = new Map<number, string>()

/** Where the shipped code is, innermost first. */
function shippedFrames(): string[] {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = 60
  Error.prepareStackTrace = (_, sites) => sites
  const sites = new Error().stack as unknown as Site[]
  Error.stackTraceLimit = stackTraceLimit
  Error.prepareStackTrace = prepareStackTrace as typeof Error.prepareStackTrace
  const frames: string[] = []
  for (const site of sites) {
    if (site.getScriptNameOrSourceURL() !== 'shipped.cjs') continue
    const position = site.getPosition()
    let text = frameTexts.get(position)
    if (text === undefined) {
      text = String(site)
      frameTexts.set(position, text)
    }
    frames.push(text)
  }
  return frames
}

/** The word after the operation. */
export function change(kind: number, before: number, first: number, second: number): number {
  switch (kind) {
    case STORE:
    case POKE:
      return first
    case ADD:
      return (before + first) | 0
    case OR:
      return before | first
    case AND:
      return before & first
    case COMPARE_EXCHANGE:
      return before === first ? second : before
    default:
      return before
  }
}
