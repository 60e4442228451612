/**
 * What reached each sink, and the dead letters of each stage, in shared memory, in the order in which they came.
 *
 * A note is one compare-and-swap of the place's next free entry: a thread that is killed while it notes leaves a whole
 * note or none. It says which thread made it: an item that is noted twice was noted by a thread that died with it.
 */
import { threadId } from 'node:worker_threads'
import { sharedNowMs } from '../../observe/counters.ts'
import { deadLettersOf, type Log } from './build-graph.ts'
import { expectRun, stagesOf } from './graph-oracle.ts'
import type { RunSpec } from './graph-spec.ts'

export interface Note {
  id: number
  threadId: number
}

const ENTRY_BYTES = 8
/** Thread ids are small; an entry is never 0. */
const NOTED = 1n << 63n

export class GraphLog implements Log {
  readonly #entries: BigInt64Array
  readonly #places: readonly string[]
  readonly #room: number

  /** Memory for as many notes as may come. */
  static allocate(spec: RunSpec): SharedArrayBuffer {
    return new SharedArrayBuffer(ENTRY_BYTES * (1 + placesOf(spec).length * (1 + roomOf(spec))))
  }

  constructor(spec: RunSpec, memory: SharedArrayBuffer) {
    this.#entries = new BigInt64Array(memory)
    this.#places = placesOf(spec)
    this.#room = roomOf(spec)
  }

  note(place: string, id: number): void {
    const start = this.#start(place)
    const entry = BigInt.asIntN(64, NOTED | (BigInt(threadId) << 32n) | BigInt(id >>> 0))
    // The count is where to begin to look, no more: a thread may be killed before it raises it.
    for (let at = Number(Atomics.load(this.#entries, start)); at < this.#room; at++) {
      if (Atomics.compareExchange(this.#entries, start + 1 + at, 0n, entry) !== 0n) continue
      Atomics.store(this.#entries, start, BigInt(at + 1))
      return
    }
  }

  noteEnd(): void {
    const nowUs = BigInt(Math.round(sharedNowMs() * 1_000))
    Atomics.compareExchange(this.#entries, 0, 0n, nowUs)
  }

  /** When a fault that ends the run struck first, on the clock that all threads share. */
  get endedMs(): number | undefined {
    const atUs = Number(Atomics.load(this.#entries, 0))
    return atUs === 0 ? undefined : atUs / 1_000
  }

  notes(place: string): Note[] {
    const start = this.#start(place)
    const notes: Note[] = []
    for (let at = start + 1; at < start + 1 + this.#room; at++) {
      const entry = Atomics.load(this.#entries, at)
      if (entry === 0n) break
      notes.push({ id: Number(entry & 0xffffffffn), threadId: Number((entry >> 32n) & 0x7fffffffn) })
    }
    return notes
  }

  ids(place: string): number[] {
    return this.notes(place).map(({ id }) => id)
  }

  /** Items delivered to all sinks so far, nearly: see `note`. */
  get delivered(): number {
    return this.#places
      .filter((place) => place.startsWith('sink'))
      .reduce((sum, place) => sum + Number(Atomics.load(this.#entries, this.#start(place))), 0)
  }

  #start(place: string): number {
    return 1 + this.#places.indexOf(place) * (1 + this.#room)
  }
}

function placesOf(spec: RunSpec): string[] {
  return stagesOf(spec).flatMap(({ kind, name }) => [...(kind === 'sink' ? [name] : []), deadLettersOf(name)])
}

/** Twice what may come, so that what comes twice is seen. */
function roomOf(spec: RunSpec): number {
  const most = Math.max(0, ...Object.values(expectRun(spec).stages).map((stage) => stage.in))
  return 2 * most + 16
}
