/**
 * Each item reaches its sink once, and in its order. Pure.
 *
 * What a sink does outside and giving the item back are two steps. A thread that dies between them has the item in hand,
 * and its next life does it again: an effect outside comes at least once, by nature. Nothing else may come again. So an
 * item may have been noted by a thread that is dead, among the last notes that the thread ever made, as many of them as
 * it can have in hand; every other note counts.
 */
import type { Note } from './graph-log.ts'
import type { ExpectedSink } from './graph-oracle.ts'

export interface SinkNotes {
  name: string
  /** In the order in which they came. */
  notes: readonly Note[]
  /** Ids of threads that died. */
  dead: ReadonlySet<number>
  /** Items that one worker has in hand at most. */
  mostInHand: number
}

/** @param isWhole whether all that was expected must have come; else nothing more than that may */
export function checkSink(sink: SinkNotes, expected: ExpectedSink, isWhole: boolean): string[] {
  const { name, notes } = sink
  const left = countOf(expected.ids)
  const inHand = lastNotesOfDead(sink)
  const found: string[] = []
  const firsts: number[] = []
  for (const { id } of notes) {
    const times = left.get(id) ?? 0
    if (times > 0) {
      left.set(id, times - 1)
      firsts.push(id)
    } else if ((inHand.get(id) ?? 0) > 0 && left.has(id)) inHand.set(id, (inHand.get(id) as number) - 1)
    else found.push(`sink "${name}" got item ${id} ${left.has(id) ? 'once more' : 'that is not for it'}`)
  }
  const missing = [...left].filter(([, times]) => times > 0)
  if (isWhole && missing.length > 0) {
    found.push(
      `sink "${name}" lacks ${missing.length} of ${expected.ids.length} items, such as ${missing[0][0]}`,
    )
  }
  if (expected.isSequence && !isInOrder(firsts, expected.ids))
    found.push(`sink "${name}" got its items out of order`)
  return found.slice(0, 5)
}

/** How often each id is among what threads may have had in hand when they died. */
function lastNotesOfDead({ notes, dead, mostInHand }: SinkNotes): Map<number, number> {
  const ids = [...dead].flatMap((threadId) =>
    notes
      .filter((note) => note.threadId === threadId)
      .slice(-mostInHand)
      .map(({ id }) => id),
  )
  return countOf(ids)
}

function countOf(ids: readonly number[]): Map<number, number> {
  const count = new Map<number, number>()
  for (const id of ids) count.set(id, (count.get(id) ?? 0) + 1)
  return count
}

/** Whether one is what is left of the other when some are left out. */
function isInOrder(some: readonly number[], all: readonly number[]): boolean {
  let at = 0
  for (const id of some) {
    at = all.indexOf(id, at) + 1
    if (at === 0) return false
  }
  return true
}
