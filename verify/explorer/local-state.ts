/**
 * What one thread knows, between two of its operations.
 *
 * The code of a thread is deterministic but for what its operations return, so the sequence of those results says
 * exactly where it is and what its variables hold. A local state is such a sequence, the node of a tree: it names the
 * operation that the thread is about to do, and for each result the state that follows. States that a checkpoint
 * finds to be the same are one (threads.ts), so the tree is a graph, and small.
 */
import { isPlain } from './operations.ts'

/** Words that were touched by plain accesses since the last step: bits, or undefined for none. */
export type WordBits = Int32Array | undefined

export interface Operation {
  kind: number
  word: number
  first: number
  second: number
  /** Of a wait: it may end by itself. */
  isTimed: boolean
  /** Of a thread that threw: what. */
  text: string
}

export class LocalState {
  readonly id: number
  readonly kind: number
  readonly word: number
  readonly first: number
  readonly second: number
  readonly isTimed: boolean
  readonly text: string
  /** Whether its operation is carried out together with the step before it. */
  readonly isFused: boolean
  readonly parent: LocalState | undefined
  /** The result that led here from the parent. */
  readonly result: number
  readonly depth: number
  /** What the thread has noted so far. */
  readonly log: readonly string[]
  readonly plainReads: WordBits
  readonly plainWrites: WordBits
  /** Bits of the threads that its step may meet; -1: it was never taken. See Machine.choicesThatMeet. */
  meets = -1
  /** Bits of the threads that the plain accesses since the last step may meet; -1: not asked for yet. */
  plainMeets = -1
  /** Schedules were left out because of `meets`. */
  isReliedOn = false
  #firstResult = 0
  #firstNext: LocalState | undefined
  #secondResult = 0
  #secondNext: LocalState | undefined
  #others: Map<number, LocalState> | undefined

  constructor(
    id: number,
    operation: Operation,
    isRacy: boolean,
    came: { parent: LocalState | undefined; result: number; log: readonly string[] },
  ) {
    const { parent } = came
    this.id = id
    this.kind = operation.kind
    this.word = operation.word
    this.first = operation.first
    this.second = operation.second
    this.isTimed = operation.isTimed
    this.text = operation.text
    this.isFused = isPlain(operation.kind) && !isRacy
    this.parent = parent
    this.result = came.result
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.log = came.log
    this.plainReads = plainAfter(parent, true)
    this.plainWrites = plainAfter(parent, false)
    if (this.plainReads === undefined && this.plainWrites === undefined) this.plainMeets = 0
  }

  next(result: number): LocalState | undefined {
    if (this.#firstNext !== undefined && this.#firstResult === result) return this.#firstNext
    if (this.#secondNext !== undefined && this.#secondResult === result) return this.#secondNext
    return this.#others?.get(result)
  }

  link(result: number, next: LocalState): void {
    if (this.#firstNext === undefined) {
      this.#firstResult = result
      this.#firstNext = next
    } else if (this.#secondNext === undefined) {
      this.#secondResult = result
      this.#secondNext = next
    } else {
      this.#others ??= new Map()
      this.#others.set(result, next)
    }
  }
}

/** The words touched since the last step, once the operation of that state is done. */
export function plainAfter(state: LocalState | undefined, isRead: boolean): WordBits {
  if (state?.isFused !== true) return undefined
  const before = isRead ? state.plainReads : state.plainWrites
  const isPeek = isPlain(state.kind) && state.kind === 4
  if (isPeek !== isRead) return before
  const length = Math.max(before?.length ?? 0, (state.word >> 5) + 1)
  const bits = new Int32Array(length)
  if (before !== undefined) bits.set(before)
  bits[state.word >> 5] |= 1 << (state.word & 31)
  return bits
}

export function hasBit(bits: WordBits, word: number): boolean {
  return bits !== undefined && word >> 5 < bits.length && (bits[word >> 5] & (1 << (word & 31))) !== 0
}

export function wordsIn(bits: WordBits): number[] {
  const words: number[] = []
  for (let at = 0; bits !== undefined && at < bits.length; at++) {
    for (let rest = bits[at]; rest !== 0; rest &= rest - 1)
      words.push(at * 32 + 31 - Math.clz32(rest & -rest))
  }
  return words
}

/** A word that is in both; -1: none is. */
export function commonWord(one: WordBits, other: WordBits): number {
  if (one === undefined || other === undefined) return -1
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const common = one[at] & other[at]
    if (common !== 0) return at * 32 + 31 - Math.clz32(common)
  }
  return -1
}
