/** A name for a piece of shared memory: each thread sees it through another object, the words are the same. */
import { peek, poke, type Words } from './atomics.ts'

const BELOW = 2 ** 31 - 1

/** Writes a new id into two words. Call it before the memory is shared. */
export function makeId(words: Words, at: number): void {
  poke(words, at, 1 + randomWord())
  poke(words, at + 1, randomWord())
}

export function readId(words: Words, at: number): string {
  return `${peek(words, at)}-${peek(words, at + 1)}`
}

/** Not `node:crypto`: loading it costs every thread more than all of this package. */
function randomWord(): number {
  return Math.floor(Math.random() * BELOW)
}
