/**
 * The one door to shared words. Ring, doorbell, queue and stop event reach shared memory only through
 * these functions, plain accesses included, so that a checker can put itself in their place and make each
 * access a step of a schedule.
 *
 * JavaScript's Atomics are sequentially consistent. A plain access is ordered only by the atomic ones around
 * it; the comments at each use say which store publishes which plain writes.
 */

/** Words that several threads see. */
export type Words = Int32Array

export const load: (words: Words, index: number) => number = Atomics.load
export const store: (words: Words, index: number, value: number) => number = Atomics.store
export const add: (words: Words, index: number, value: number) => number = Atomics.add
export const compareExchange: (words: Words, index: number, expected: number, value: number) => number =
  Atomics.compareExchange

/** Blocks this thread while the word has the value. */
export const wait: (
  words: Words,
  index: number,
  value: number,
  timeoutMs?: number,
) => 'ok' | 'not-equal' | 'timed-out' = Atomics.wait

export type AsyncWait =
  | { async: false; value: 'not-equal' | 'timed-out' }
  | { async: true; value: Promise<'ok' | 'timed-out'> }

/** Like `wait`, on the event loop. Never keeps the process alive, and leaks if nobody notifies. */
export const waitAsync: (words: Words, index: number, value: number) => AsyncWait = (
  Atomics as unknown as { waitAsync: (words: Words, index: number, value: number) => AsyncWait }
).waitAsync

/** Wakes every waiter: a notify for one could reach a waiter that is dying. */
export const notifyAll = (words: Words, index: number): number => Atomics.notify(words, index)

/** A plain read of a shared word. */
export const peek = (words: Words, index: number): number => words[index]
/** A plain write of a shared word. */
export const poke = (words: Words, index: number, value: number): void => {
  words[index] = value
}
