/** What stands in the place of typed arrays and Buffers over shared memory: every access is an operation of a thread. */
import { PEEK, POKE } from './operations.ts'
import type { Threads } from './threads.ts'

let threads: Threads

/** Those of the world that runs now. */
export function currentThreads(): Threads {
  return threads
}

/** From now on views are of the memory of this world. */
export function setThreads(these: Threads): void {
  threads = these
}

type Place = ReturnType<Threads['table']['place']>

/** Int32Array or Float64Array. */
export class Words {
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  readonly length: number
  readonly #place: Place
  readonly #at: number
  readonly #isFloat: boolean

  constructor(buffer: SharedArrayBuffer, byteOffset: number, length: number | undefined, isFloat: boolean) {
    const shift = isFloat ? 3 : 2
    this.buffer = buffer
    this.byteOffset = byteOffset
    this.length = length ?? (buffer.byteLength - byteOffset) >> shift
    this.#place = threads.table.place(buffer)
    this.#at = byteOffset >> shift
    this.#isFloat = isFloat
  }

  /** Its name among the views. */
  get place(): string {
    return `${this.#place.number}${this.#isFloat ? 'f' : '.'}${this.#at}`
  }

  word(index: number): number {
    if (!(index >= 0 && index < this.length))
      throw new Error(`word ${index} of a view of ${this.length} words`)
    const { table } = threads
    return this.#isFloat
      ? table.float(this.#place, this.#at + index)
      : table.int(this.#place, this.#at + index)
  }
}

const MOST_INDEXED = 64

for (let index = 0; index < MOST_INDEXED; index++) {
  Object.defineProperty(Words.prototype, index, {
    get(this: Words) {
      return threads.operate(PEEK, this.word(index), 0)
    },
    set(this: Words, value: number) {
      threads.operate(POKE, this.word(index), value)
    },
  })
}

/** A Buffer over shared memory, of whole words: the codec that stands in for the shipped one uses no others. */
export class Bytes {
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  readonly length: number
  readonly #words: Words

  constructor(buffer: SharedArrayBuffer, byteOffset: number, length: number) {
    this.buffer = buffer
    this.byteOffset = byteOffset
    this.length = length
    this.#words = new Words(buffer, byteOffset, length >> 2, false)
  }

  get byteLength(): number {
    return this.length
  }

  get place(): string {
    return `b${this.#words.place}`
  }

  word(at: number): number {
    return this.#words.word(at >> 2)
  }

  readWord(at: number): number {
    return threads.operate(PEEK, this.word(at), 0)
  }

  writeWord(at: number, value: number): void {
    threads.operate(POKE, this.word(at), value)
  }

  /** As Buffer's, word by word. */
  copy(target: Buffer, targetStart: number, start: number, end: number): number {
    for (let at = start; at < end; at += 4) target.writeInt32LE(this.readWord(at), targetStart + at - start)
    return end - start
  }

  subarray(start: number, end: number): Bytes {
    return new Bytes(this.buffer, this.byteOffset + start, end - start)
  }
}
