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
  readonly key: string
  /** Of the key: the same in every run of the world, as its number is not. */
  readonly keyHash: number
  name: string
  /** Value before any thread began. */
  initial: number
  readonly found: Finding
  /** What was known when these threads were made; what is found meanwhile counts for the next. */
  isShared: boolean
  isRacy: boolean
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

  readonly #reduces: boolean

  /** @param reduces schedules are left out because of who touches what: every thread that touches a word counts */
  constructor(findings: Findings, reduces: boolean) {
    this.findings = findings
    this.#reduces = reduces
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
    const { isShared, isRacy } = found
    const id = this.words.length
    const keyHash = hashOf(key)
    const word = {
      id,
      key,
      keyHash,
      name,
      initial: 0,
      found,
      isShared,
      isRacy,
      isStatistic: false,
      isBell: false,
    }
    this.words.push(word)
    return word
  }

  /** Notes an access; whether that showed something that was not known and that schedules rest on. */
  touch(id: number, thread: number, isRead: boolean, isWrite: boolean): boolean {
    const { found, isStatistic } = this.words[id]
    const bit = 1 << thread
    const { readers, writers } = found
    if (isRead) found.readers |= bit
    if (isWrite) found.writers |= bit
    if (isStatistic) return false
    const isNew = found.readers !== readers || found.writers !== writers
    if (!isNew) return false
    if (found.isShared) return this.#reduces
    const all = found.readers | found.writers
    if (found.writers === 0 || (all & (all - 1)) === 0) return false
    found.isShared = true
    return true
  }

  /** Bits of the threads whose accesses to the word do not commute with one of this thread. */
  meets(id: number, thread: number, isWrite: boolean): number {
    const { readers, writers } = this.words[id].found
    return (isWrite ? readers | writers : writers) & ~(1 << thread)
  }
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash ^ (hash >>> 15)
}
