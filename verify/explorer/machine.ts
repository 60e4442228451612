/**
 * The state of a world, and its steps.
 *
 * A step is one atomic operation of one thread, with the plain accesses that follow it. Those belong to the step only as long
 * as no other thread could touch the same word at the same time, which is checked at every step: where one could, the word is
 * racy, and each plain access to it is a step of its own from then on (RESTART). By the reduction theorem of Lipton (1975), in
 * the form of Stoller and Cohen (2003, exclusive access checked in the reduced search), what is found this way is what would be
 * found if each plain access were a step. A word that only one thread touches needs no order at all.
 */
import { commonWord, hasBit, type LocalState, wordsIn } from './local-state.ts'
import {
  FAILED,
  FINISHED,
  IDLE,
  NOT_EQUAL,
  NOTIFY,
  OK,
  PEEK,
  PENDING,
  POKE,
  STORE,
  TIMED_OUT,
  UNTIL,
  WAIT,
  WAIT_ASYNC,
  writes,
} from './operations.ts'
import { setThreads } from './shared-views.ts'
import { renewModules } from './shipped-globals.ts'
import { mixHigh, mixLow } from './state-set.ts'
import { change, SLOTS, Threads } from './threads.ts'
import type { Findings, Word } from './word-table.ts'
import type { Ending, World } from './world.ts'

/** A choice of the scheduler is thread * CHOICES + one of these. */
export const CHOICES = 8
export const STEP = 0
/** A timed wait ends by itself. */
export const TIMEOUT = 1
export const DEATH = 2
/** The asynchronous wait in this slot, and so on, is over. */
export const WAKE_SLOT = 3

const READY = 0
const ASLEEP = 1
const DEAD = 2

const WORD = 0
const NODE = 1
const MODE = 2

export interface MachineOptions {
  /** Local states that checkpoints find to be equal are one. Default true. */
  merges?: boolean
  /** Every plain access is a step. Default false. */
  isFine?: boolean
  /** Leaves out schedules that differ from another in the order of steps that do not meet. Default false. */
  reduces?: boolean
  /** Takes every word to be shared, and goes on when something new is found: for a first look at a world. */
  isFirstLook?: boolean
}

export class Machine {
  readonly world: World
  readonly threads: Threads
  memory: Int32Array
  readonly nodes: LocalState[] = []
  readonly modes: Uint8Array
  readonly count: number
  low = 0
  high = 0
  deathsLeft: number
  /** Plain accesses that were carried out within steps. */
  fused = 0
  readonly #isFirstLook: boolean
  /** More was found out about what a step may meet than was relied on: what was left out has to be looked at again. */
  reliedOnTooLittle = false
  readonly #meets: number[] = []
  readonly #initial: { nodes: LocalState[] }
  // What to undo, newest last.
  readonly #tags: number[] = []
  readonly #indexes: number[] = []
  readonly #olds: number[] = []
  readonly #oldNodes: (LocalState | undefined)[] = []

  /** @throws RESTART: make another with the same findings */
  constructor(world: World, findings: Findings, options: MachineOptions = {}) {
    this.world = world
    this.#isFirstLook = options.isFirstLook ?? false
    this.threads = new Threads(findings, {
      merges: options.merges ?? true,
      isFine: options.isFine ?? false,
      isFirstLook: this.#isFirstLook,
      reduces: options.reduces ?? false,
    })
    setThreads(this.threads)
    renewModules()
    const specs = world.setUp()
    this.threads.add(specs)
    this.count = specs.length
    this.modes = new Uint8Array(this.count)
    this.deathsLeft = world.deaths ?? 0
    this.memory = new Int32Array(1024)
    for (let thread = 0; thread < this.count; thread++) this.nodes.push(this.threads.root(thread))
    this.#initial = { nodes: [...this.nodes] }
    this.threads.now = (word) =>
      word < this.#known ? this.memory[word] : this.threads.table.words[word].initial
    this.reset()
  }

  /** Back to the beginning. */
  reset(): void {
    const { words } = this.threads.table
    this.deathsLeft = this.world.deaths ?? 0
    this.#tags.length = 0
    this.#indexes.length = 0
    this.#olds.length = 0
    this.#oldNodes.length = 0
    this.low = 0
    this.high = 0
    for (const word of words) this.#begin(word)
    this.#known = words.length
    for (let thread = 0; thread < this.count; thread++) {
      this.nodes[thread] = this.#initial.nodes[thread]
      this.modes[thread] = READY
      this.#hashThread(thread)
    }
    // Only begun threads run up to their first step.
    for (let thread = 0; thread < this.count; thread++) this.#runFused(thread)
  }

  #known = 0

  #begin({ id, initial }: Word): void {
    if (id >= this.memory.length) {
      const larger = new Int32Array(this.memory.length * 2)
      larger.set(this.memory)
      this.memory = larger
    }
    this.memory[id] = initial
  }

  /** Words that came up since: their first value is part of no hash, so nothing that was seen changes. */
  #catchUp(): void {
    const { words } = this.threads.table
    while (this.#known < words.length) this.#begin(words[this.#known++])
  }

  isRunnable(thread: number): boolean {
    if (this.modes[thread] !== READY) return false
    const node = this.nodes[thread]
    switch (node.kind) {
      case FINISHED:
      case FAILED:
      case IDLE:
        return false
      case UNTIL:
        return this.memory[node.word] !== node.first
      default:
        return true
    }
  }

  /** Adds all that may happen next to `into`, deaths last; how many of them are not deaths. */
  choices(into: number[]): number {
    into.length = 0
    for (let thread = 0; thread < this.count; thread++) {
      const base = thread * CHOICES
      if (this.isRunnable(thread)) into.push(base + STEP)
      else if (this.modes[thread] === ASLEEP) {
        if (this.nodes[thread].isTimed) into.push(base + TIMEOUT)
      } else if (this.modes[thread] === READY && this.nodes[thread].kind === IDLE) {
        const { slots } = this.threads.own[thread]
        for (let slot = 0; slot < SLOTS; slot++) {
          if (this.memory[slots[slot]] === -1) into.push(base + WAKE_SLOT + slot)
        }
      }
    }
    const steps = into.length
    if (this.deathsLeft > 0) {
      for (let thread = 0; thread < this.count; thread++) {
        if (this.mayDie(thread)) into.push(thread * CHOICES + DEATH)
      }
    }
    return steps
  }

  /**
   * Leaves those choices that have to be tried here, if the rest can wait: a set of threads none of which will ever meet, on any
   * word, what one of the others does next (a persistent set: Godefroid 1996, "Partial-order methods for the verification
   * of concurrent systems"). Every ending is still reached, by one of the schedules that differ in the order of such steps only.
   */
  reduce(choices: number[], steps: number): void {
    let enabled = 0
    // A death need not come: a set must have something that happens in any case.
    let seeds = 0
    for (let index = 0; index < choices.length; index++) {
      const bit = 1 << ((choices[index] / CHOICES) | 0)
      enabled |= bit
      if (index < steps) seeds |= bit
    }
    if ((enabled & (enabled - 1)) === 0) return
    for (let thread = 0; thread < this.count; thread++) this.#meets[thread] = this.#meetsNext(thread)
    let best = enabled
    for (let rest = seeds; rest !== 0; rest &= rest - 1) {
      const set = this.#closure(rest & -rest)
      if (countOfBits(set & enabled) < countOfBits(best & enabled)) best = set
    }
    if ((best & enabled) === enabled) return
    let kept = 0
    for (const choice of choices) if ((best & (1 << ((choice / CHOICES) | 0))) !== 0) choices[kept++] = choice
    choices.length = kept
    for (let thread = 0; thread < this.count; thread++) {
      if ((best & (1 << thread)) !== 0) this.nodes[thread].isReliedOn = true
    }
  }

  /** The smallest such set of threads that has this one. All are bits. */
  #closure(seed: number): number {
    let set = seed
    let left = seed
    while (left !== 0) {
      const more = this.#meets[31 - Math.clz32(left & -left)] & ~set
      left = (left & (left - 1)) | more
      set |= more
    }
    return set
  }

  /** Bits of the live threads that what this one does next, or waits for, may ever meet. */
  #meetsNext(thread: number): number {
    const node = this.nodes[thread]
    if (this.#isOver(thread)) return 0
    let bits = this.#ofDeath(thread)
    if (node.kind === IDLE) {
      for (const slot of this.threads.own[thread].slots) {
        const waited = this.memory[slot]
        if (waited > 0) bits |= this.threads.table.meets(waited - 1, thread, false)
        if (waited !== 0) bits |= this.threads.table.meets(slot, thread, true)
      }
    }
    bits |= node.meets
    for (let other = 0; other < this.count; other++) if (this.#isOver(other)) bits &= ~(1 << other)
    return bits
  }

  /** A death is a step that may come at any time, and there are only so many in a schedule. */
  #ofDeath(thread: number): number {
    if (!this.mayDie(thread)) return 0
    const { ended, said } = this.threads.own[thread]
    const { table, specs } = this.threads
    let bits = table.meets(ended, thread, true) | table.meets(said, thread, true)
    for (let other = 0; other < this.count; other++) if (specs[other].mayDie) bits |= 1 << other
    return bits
  }

  #isOver(thread: number): boolean {
    const { kind } = this.nodes[thread]
    return this.modes[thread] === DEAD || kind === FINISHED || kind === FAILED
  }

  /** Adds to what the step out of `from` meets, now that it was taken: its word, and those of the plain accesses behind it. */
  #noteMeets(thread: number, from: LocalState): void {
    const { table, own } = this.threads
    const node = this.nodes[thread]
    if (from.meets !== -1 && node.plainMeets === 0 && node.kind !== FINISHED) return
    let bits = from.meets === -1 ? 0 : from.meets
    if (from.word >= 0) bits |= table.meets(from.word, thread, writes(from.kind) || from.kind === NOTIFY)
    if (node.kind === FINISHED) {
      bits |= table.meets(own[thread].ended, thread, true) | table.meets(own[thread].said, thread, true)
    }
    if (node.plainMeets === -1) node.plainMeets = this.#plainMeets(thread, node)
    bits |= node.plainMeets
    if (bits === from.meets) return
    if (from.isReliedOn && from.meets !== -1) this.reliedOnTooLittle = true
    from.meets = bits
  }

  #plainMeets(thread: number, { plainReads, plainWrites }: LocalState): number {
    const { table } = this.threads
    let bits = 0
    for (const word of wordsIn(plainReads)) bits |= table.meets(word, thread, false)
    for (const word of wordsIn(plainWrites)) bits |= table.meets(word, thread, true)
    return bits
  }

  mayDie(thread: number): boolean {
    if (this.deathsLeft === 0 || this.threads.specs[thread].mayDie !== true || this.modes[thread] === DEAD)
      return false
    const { kind } = this.nodes[thread]
    if (kind === FINISHED || kind === FAILED) return false
    return this.memory[this.threads.own[thread].begun] === 1
  }

  /** Nothing done so far will be undone. */
  forget(): void {
    this.#tags.length = 0
    this.#indexes.length = 0
    this.#olds.length = 0
    this.#oldNodes.length = 0
  }

  get mark(): number {
    return this.#tags.length
  }

  /** Back to where `mark` was so, with the hashes and deaths of then. */
  undo(mark: number, low: number, high: number, deathsLeft: number): void {
    while (this.#tags.length > mark) {
      const tag = this.#tags.pop()
      const index = this.#indexes.pop() as number
      const old = this.#olds.pop() as number
      const node = this.#oldNodes.pop()
      if (tag === WORD) this.memory[index] = old
      else if (tag === NODE) this.nodes[index] = node as LocalState
      else this.modes[index] = old
    }
    this.low = low
    this.high = high
    this.deathsLeft = deathsLeft
  }

  /** The word that a choice is about, by its hash, and whether it changes it, or wakes who waits there. */
  touchedBy(choice: number): { word: number; isWrite: boolean } {
    const thread = (choice / CHOICES) | 0
    const { own, table } = this.threads
    const { word, kind } = this.nodes[thread]
    if (choice % CHOICES === DEATH) return { word: table.words[own[thread].ended].keyHash, isWrite: true }
    return { word: word < 0 ? word : table.words[word].keyHash, isWrite: writes(kind) || kind === NOTIFY }
  }

  /** Carries out a choice. @throws RESTART */
  take(choice: number): void {
    const thread = (choice / CHOICES) | 0
    const what = choice % CHOICES
    const from = this.nodes[thread]
    if (what === STEP) this.#step(thread)
    else if (what === TIMEOUT) {
      this.#setMode(thread, READY)
      this.#advance(thread, TIMED_OUT)
    } else if (what === DEATH) {
      this.deathsLeft--
      this.#setMode(thread, DEAD)
      for (const slot of this.threads.own[thread].slots) this.#write(slot, 0)
      this.#end(thread, 2)
      return
    } else {
      this.#write(this.threads.own[thread].slots[what - WAKE_SLOT], 0)
      this.#advance(thread, what - WAKE_SLOT)
    }
    this.#runFused(thread)
    this.#noteMeets(thread, from)
  }

  #step(thread: number): void {
    const node = this.nodes[thread]
    const { kind, word } = node
    this.#checkMixed(thread, node)
    switch (kind) {
      case WAIT:
        if (this.memory[word] === node.first) this.#setMode(thread, ASLEEP)
        else this.#advance(thread, NOT_EQUAL)
        return
      case WAIT_ASYNC:
        if (this.memory[word] === node.first) {
          this.#write(this.threads.own[thread].slots[node.second], word + 1)
          this.#advance(thread, PENDING)
        } else this.#advance(thread, NOT_EQUAL)
        return
      case NOTIFY:
        this.#advance(thread, this.#notify(word))
        return
      default:
        this.#access(thread, node)
    }
  }

  #access(thread: number, node: LocalState): void {
    const { kind, word } = node
    const before = this.memory[word]
    const after = change(kind, before, node.first, node.second)
    if (after !== before) this.#write(word, after)
    this.#advance(thread, kind === STORE || kind === POKE ? node.first : before)
  }

  #notify(word: number): number {
    let woken = 0
    for (let thread = 0; thread < this.count; thread++) {
      if (this.modes[thread] === ASLEEP && this.nodes[thread].word === word) {
        const from = this.nodes[thread]
        this.#setMode(thread, READY)
        this.#advance(thread, OK)
        this.#runFused(thread)
        this.#noteMeets(thread, from)
        woken++
      }
      if (this.modes[thread] === DEAD) continue
      for (const slot of this.threads.own[thread].slots) {
        if (this.memory[slot] === word + 1) {
          this.#write(slot, -1)
          woken++
        }
      }
    }
    return woken
  }

  #advance(thread: number, result: number): void {
    const from = this.nodes[thread]
    let to = from.next(result)
    if (to === undefined) {
      to = this.threads.extend(thread, from, result)
      this.#catchUp()
    }
    this.#tags.push(NODE)
    this.#indexes.push(thread)
    this.#olds.push(0)
    this.#oldNodes.push(from)
    this.#hashThread(thread)
    this.nodes[thread] = to
    this.#hashThread(thread)
    if (to.kind === FINISHED) this.#end(thread, 1)
  }

  #end(thread: number, how: number): void {
    const { ended, said } = this.threads.own[thread]
    if (this.memory[said] === 0) this.#write(said, 2)
    this.#write(ended, how)
  }

  #runFused(thread: number): void {
    let node = this.nodes[thread]
    while (node.isFused && this.modes[thread] === READY) {
      this.fused++
      this.#access(thread, node)
      node = this.nodes[thread]
    }
    this.#checkPlain(thread)
  }

  /** Whether plain accesses that belong to this thread's last step could meet those of another's. */
  #checkPlain(thread: number): void {
    const { plainReads, plainWrites } = this.nodes[thread]
    if (plainReads === undefined && plainWrites === undefined) return
    for (let other = 0; other < this.count; other++) {
      if (other === thread || this.modes[other] === ASLEEP) continue
      const its = this.nodes[other]
      let word = commonWord(plainReads, its.plainWrites)
      // A dead thread reads no more; its last writes may have happened in part.
      if (word < 0 && this.modes[other] !== DEAD) {
        word = commonWord(plainWrites, its.plainWrites)
        if (word < 0) word = commonWord(plainWrites, its.plainReads)
      }
      if (word >= 0) this.#foundRacy(word)
    }
  }

  /** The same for an atomic operation, or a plain one that is a step of its own, and plain accesses. */
  #checkMixed(thread: number, { word, kind }: LocalState): void {
    if (word < 0) return
    const isWrite = writes(kind)
    for (let other = 0; other < this.count; other++) {
      if (other === thread || this.modes[other] === ASLEEP) continue
      const its = this.nodes[other]
      const isDead = this.modes[other] === DEAD
      const meets =
        (hasBit(its.plainWrites, word) && (!isDead || kind === PEEK || !isWrite)) ||
        (isWrite && !isDead && hasBit(its.plainReads, word))
      if (meets) this.#foundRacy(word)
    }
  }

  /** These threads go on without a step of its own for it; the next ones have it. */
  #foundRacy(word: number): void {
    const { found, isRacy } = this.threads.table.words[word]
    if (isRacy || found.isRacy) return
    found.isRacy = true
    this.threads.foundMore = true
  }

  #write(word: number, value: number): void {
    const old = this.memory[word]
    if (old === value) return
    this.#tags.push(WORD)
    this.#indexes.push(word)
    this.#olds.push(old)
    this.#oldNodes.push(undefined)
    this.low ^= mixLow(word, old) ^ mixLow(word, value)
    this.high ^= mixHigh(word, old) ^ mixHigh(word, value)
    this.memory[word] = value
  }

  #setMode(thread: number, mode: number): void {
    this.#tags.push(MODE)
    this.#indexes.push(thread)
    this.#olds.push(this.modes[thread])
    this.#oldNodes.push(undefined)
    this.#hashThread(thread)
    this.modes[thread] = mode
    this.#hashThread(thread)
  }

  /** In or out: it is its own inverse. */
  #hashThread(thread: number): void {
    const of = -1 - thread
    const node = this.nodes[thread]
    const mode = this.modes[thread]
    const value = mode === DEAD ? this.threads.remains(thread, node) * 4 + DEAD : node.id * 4 + mode
    this.low ^= mixLow(of, value)
    this.high ^= mixHigh(of, value)
  }

  /** What is wrong with a thread that has just moved. */
  get failure(): string | undefined {
    for (let thread = 0; thread < this.count; thread++) {
      const node = this.nodes[thread]
      if (node.kind === FAILED) return `${this.threads.specs[thread].name} threw: ${node.text}`
    }
    return undefined
  }

  /** Who is neither at its end nor dead nor still to begin. */
  stuck(): number[] {
    const stuck: number[] = []
    for (let thread = 0; thread < this.count; thread++) {
      const { kind } = this.nodes[thread]
      const isThere = this.memory[this.threads.own[thread].begun] === 1
      if (isThere && kind !== FINISHED && this.modes[thread] !== DEAD) stuck.push(thread)
    }
    return stuck
  }

  isDead(thread: number): boolean {
    return this.modes[thread] === DEAD
  }

  isAsleep(thread: number): boolean {
    return this.modes[thread] === ASLEEP
  }

  /** What is wrong with this end of a schedule. */
  judge(): string | undefined {
    const stuck = this.stuck()
    if (stuck.length > 0) {
      const who = stuck.map((thread) => {
        const { kind, word } = this.nodes[thread]
        const name = word >= 0 ? this.threads.table.words[word].name : 'its event loop'
        return `${this.threads.specs[thread].name} ${kind === WAIT ? 'sleeps on' : 'waits for'} ${name}`
      })
      return `nobody can go on: ${who.join(', ')}`
    }
    const notes = new Map<string, readonly string[]>()
    const killed = new Set<string>()
    for (let thread = 0; thread < this.count; thread++) {
      const { name } = this.threads.specs[thread]
      notes.set(name, this.nodes[thread].log)
      if (this.modes[thread] === DEAD) killed.add(name)
    }
    const ending: Ending = { notes, killed }
    return this.#directly(() => this.world.judge(ending))
  }

  /** Lets code look at the memory as it is now, outside of all threads. */
  #directly<T>(look: () => T): T {
    const { threads } = this
    const before = threads.direct
    const own = new Map<number, Map<number, number>>()
    const aside = new Map<number, number>()
    threads.direct = {
      read: (id) => {
        const written = aside.get(id)
        if (written !== undefined) return written
        const word = threads.table.words[id]
        if (word.isShared || this.#isFirstLook) return id < this.#known ? this.memory[id] : word.initial
        const thread = 31 - Math.clz32(word.found.writers)
        if (thread < 0) return word.initial
        let words = own.get(thread)
        if (words === undefined) {
          words = this.threads.ownWords(thread, this.nodes[thread])
          own.set(thread, words)
        }
        return words.get(id) ?? word.initial
      },
      write: (id, value) => {
        aside.set(id, value)
      },
    }
    try {
      return look()
    } finally {
      threads.direct = before
    }
  }
}

function countOfBits(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
