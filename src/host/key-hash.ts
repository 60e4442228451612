/** From a partition key to the number that chooses the worker. */
import { MillraceError, show } from '../errors.ts'

/** FNV-1a, 32 bits (Fowler, Noll, Vo): equal keys of equal type give equal numbers, in every thread. */
export function hashKey(key: unknown, stage: string): number {
  if (typeof key === 'number' && Number.isInteger(key)) return scramble(key | 0)
  if (typeof key === 'string') return hashText(key)
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean' || key === null) {
    return hashText(String(key))
  }
  throw new MillraceError(
    'MILLRACE_INVALID_OPTION',
    `stage "${stage}": by must give a string, number, bigint, boolean or null, got ${show(key)}`,
    { stage, option: 'by' },
  )
}

function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return scramble(hash)
}

/** The finalizer of MurmurHash3 (Appleby): neighbours must not fall into neighbouring lanes in step. */
function scramble(number: number): number {
  let hash = number
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
