/** Every word of shared memory that the threads of a world touch: its number, its name, and who touches it. */

/** What was found out about a word, in this run of the world and in those before; nothing is ever taken back. */
export interface Finding {
  /** Bits of the threads that were seen to read or write it. */
  readers: number
  writers: number
  /** One thread writes it and another touches it: only then does the order of the steps matter. */
  isShared: boolean
  /** Two threads may touch it at the same time by plain accesses: each of them is a step of its own. */
  isRacy: boolean
}

/** By the word's key, which is the same in every run of the world. */
export type Findings = Map<string, Finding>

export interface Word {
  readonly id: number
  name: string
  /** Value before any thread began. */
  initial: number
  readonly found: Finding
  /** It counts for people to look at, and steers nothing: a peak level, how often a worker woke. */
  isStatistic: boolean
  /** A worker sleeps on it. */
  isBell: boolean
}

interface Place {
  readonly number: number
  readonly ints: Int32Array
  readonly floats: Int32Array
}

export class WordTable {
  readonly words: Word[] = []
  readonly findings: Findings
  readonly #places = new Map<SharedArrayBuffer, Place>()

  constructor(findings: Findings) {
    this.findings = findings
  }

  /** Numbers of the words of a piece of memory, by their position; -1: not touched yet. */
  place(memory: SharedArrayBuffer): Place {
    let place = this.#places.get(memory)
    if (place === undefined) {
      const unknown = (length: number) => new Int32Array(length).fill(-1)
      place = {
        number: this.#places.size,
        ints: unknown(memory.byteLength >> 2),
        floats: unknown(memory.byteLength >> 3),
      }
      this.#places.set(memory, place)
    }
    return place
  }

  int(place: Place, at: number): number {
    const known = place.ints[at]
    if (known !== -1) return known
    const { id } = this.add(`${place.number}.${at}`)
    place.ints[at] = id
    return id
  }

  float(place: Place, at: number): number {
    const known = place.floats[at]
    if (known !== -1) return known
    const { id } = this.add(`${place.number}.f${at}`)
    place.floats[at] = id
    return id
  }

  add(key: string, name = key): Word {
    let found = this.findings.get(key)
    if (found === undefined) {
      found = { readers: 0, writers: 0, isShared: false, isRacy: false }
      this.findings.set(key, found)
    }
    const word: Word = { id: this.words.length, name, initial: 0, found, isStatistic: false, isBell: false }
    this.words.push(word)
    return word
  }

  /** Notes an access; whether that showed that the word is shared, which was not known. */
  touch(id: number, thread: number, isRead: boolean, isWrite: boolean): boolean {
    const { found, isStatistic } = this.words[id]
    const bit = 1 << thread
    if (isRead) found.readers |= bit
    if (isWrite) found.writers |= bit
    if (found.isShared || isStatistic) return false
    const all = found.readers | found.writers
    if (found.writers === 0 || (all & (all - 1)) === 0) return false
    found.isShared = true
    return true
  }
}
