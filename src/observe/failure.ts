/** What went wrong in a run, as plain data. */
import { errorToWire, type MillraceErrorCode, type WireError } from '../errors.ts'

/** Characters of an error's message that are repeated in a failure's. */
const MOST_SHOWN = 300

/** A line of a stack: where it was, not what. */
const FRAME = /^at .*:\d+:\d+\)?$/

export interface Failure {
  code: MillraceErrorCode
  stage: string
  /** Number of the worker within its stage, from 0. */
  worker: number
  /** Number of the item at the source, from 1. */
  item?: number
  /** How often it was tried, if more than once. */
  attempts?: number
  /** One line: stage, item, cause. */
  message: string
  /** What was thrown. */
  error?: WireError
}

export interface FailurePlace {
  stage: string
  worker: number
  item?: number
}

/** An item of a source: what failed was it, or was made from it. */
export interface ItemOrigin {
  /** Number of the source among the sources. */
  source: number
  /** Number of the item at that source. */
  item: number
}

/** `stage "reverse" failed at item 1000: TypeError: x is not a function`. */
export function makeFailure(
  code: MillraceErrorCode,
  doing: string,
  place: FailurePlace,
  thrown: unknown,
): Failure {
  const error = errorToWire(thrown)
  const { stage, worker, item } = place
  const where = item === undefined ? '' : ` at item ${item}`
  // Our own errors say what happened; their class would only be noise.
  const name = error.name === 'MillraceError' ? '' : `${error.name}: `
  const message = `stage "${stage}" ${doing}${where}: ${name}${inOneLine(error.message)}`
  return { code, stage, worker, ...(item === undefined ? {} : { item }), message, error }
}

/** Of a message of several lines the first, and what that only announces; an error keeps all of it. */
function inOneLine(text: string): string {
  const line = text.trim().split('\n', 1)[0].trimEnd()
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}...` : line + announcedBy(text)
}

/**
 * A first line that ends in a colon says nothing without those after it, as in `its words on stderr:`. They stand behind it
 * in a failure's message, where they are cut at their beginning: the last words say why. Else: empty.
 */
export function announcedBy(text: string): string {
  const [first, ...others] = text.trim().split('\n')
  if (!first.trimEnd().endsWith(':')) return ''
  const words = others
    .map((line) => line.trim())
    .filter((line) => line !== '' && !FRAME.test(line))
    .join(' | ')
  return words.length > MOST_SHOWN ? ` ...${words.slice(-MOST_SHOWN)}` : ` ${words}`.trimEnd()
}
