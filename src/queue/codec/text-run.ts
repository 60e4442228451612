/**
 * Texts that stand one behind the other in an array, written and read as one text: a call into C++ for each of them costs
 * several times as much as copying it.
 *
 * A text that was read holds the others of its run in memory, as long as it is kept: as one that came of `split` holds
 * all that was split. So a run is short.
 */
import { isWide } from './put-scalar.ts'
import { corrupt, type Reader } from './reader.ts'
import { TEXTS } from './tags.ts'
import type { Writer } from './writer.ts'

/** Fewer are written one by one; so are those that are shorter on the average, and each that is longer. */
const FEWEST_TEXTS = 8
const LEAST_MEAN_UNITS = 16
const MOST_UNITS_EACH = 255
/** Of a run. */
const MOST_TEXTS = 64
const MOST_UNITS = 1024

/** Whether a run of texts may begin with this one, in an array of that length. */
export function isWorthARun(text: string, arrayLength: number): boolean {
  return text.length >= LEAST_MEAN_UNITS && arrayLength >= FEWEST_TEXTS
}

/** Texts of one array, gathered until they can be written. */
export class TextRun {
  #texts: string[] = []
  #units = 0

  /** The next text of the array. */
  add(w: Writer, text: string): void {
    const { length } = text
    if (length > MOST_UNITS_EACH) {
      this.write(w)
      w.text(text)
      return
    }
    if (this.#texts.length === MOST_TEXTS || this.#units + length > MOST_UNITS) this.write(w)
    this.#texts.push(text)
    this.#units += length
  }

  /** Writes what was gathered: something else follows, or nothing. */
  write(w: Writer): void {
    const texts = this.#texts
    const units = this.#units
    if (texts.length === 0) return
    this.#texts = []
    this.#units = 0
    const isWorthIt = texts.length >= FEWEST_TEXTS && units >= texts.length * LEAST_MEAN_UNITS
    if (!isWorthIt || !writeJoined(w, texts, units)) for (const text of texts) w.text(text)
  }
}

/** False, and nothing written: not all units are of one byte. */
function writeJoined(w: Writer, texts: readonly string[], units: number): boolean {
  const joined = texts.join('')
  if (isWide(joined)) return false
  w.room(2 + texts.length + units)
  const { buf } = w
  let at = w.pos
  buf[at++] = TEXTS
  buf[at++] = texts.length
  for (let index = 0; index < texts.length; index++) buf[at++] = texts[index].length
  buf.latin1Write(joined, at, units)
  w.pos = at + units
  return true
}

/** Reads a run, whose tag was read, to the end of an array that may get so long. @throws MILLRACE_CORRUPT_RECORD */
export function readTexts(r: Reader, array: unknown[], mostLength: number): void {
  const count = r.byte()
  if (count === 0 || count > mostLength - array.length) throw corrupt('an array has a wrong length')
  const lengths = r.take(count)
  const { buf } = r
  let units = 0
  for (let index = 0; index < count; index++) units += buf[lengths + index]
  const from = r.take(units)
  const joined = buf.latin1Slice(from, from + units)
  let at = 0
  for (let index = 0; index < count; index++) {
    const end = at + buf[lengths + index]
    array.push(joined.substring(at, end))
    at = end
  }
}
