/** A name for a piece of shared memory: each thread sees it through another object, the words are the same. */
import { randomInt } from 'node:crypto'
import { peek, poke, type Words } from './atomics.ts'

const BITS = 2 ** 31

/** Writes a new id into two words. Call it before the memory is shared. */
export function makeId(words: Words, at: number): void {
  poke(words, at, randomInt(1, BITS))
  poke(words, at + 1, randomInt(BITS))
}

export function readId(words: Words, at: number): string {
  return `${peek(words, at)}-${peek(words, at + 1)}`
}
