/** A world: a few threads over shared memory, small enough to be explored, and what must be true when all is over. */
import type { ThreadSpec } from './threads.ts'

export interface Ending {
  /** What each thread noted, by its name; of a thread that never began nothing. */
  notes: ReadonlyMap<string, readonly string[]>
  /** Names of the threads that were killed. */
  killed: ReadonlySet<string>
}

export interface World {
  name: string
  /** One line: what it is about. */
  about: string
  /** How many threads may be killed in one schedule, of those that may die. */
  deaths?: number
  /** Too large to explore all of it: random schedules only. */
  isLarge?: boolean
  /** Too large to explore all of it, but not with so many switches away from a thread that could go on. */
  preemptions?: number
  /** Part of the short run too. */
  isQuick?: boolean
  /** Makes the memory, and says what the threads do. Runs before any of them. */
  setUp(): ThreadSpec[]
  /** What is wrong with an ending; undefined: nothing. May look at the memory. */
  judge(ending: Ending): string | undefined
}
