import { readBinary, readSlab } from './read-binary.ts'
import { readError } from './read-error.ts'
import { ABSENT, corrupt, type Reader } from './reader.ts'
import {
  ARRAY,
  ARRAY_KEYED,
  BIGINT,
  BIGINT64,
  BINARY,
  BOXED,
  DATE,
  DOUBLE,
  END,
  ERROR,
  FALSE,
  HOLE,
  INT32,
  MAP,
  NULL,
  OBJECT,
  REFERENCE,
  REGEXP,
  SET,
  SHAPE,
  SHORT_TEXT,
  SLAB,
  SMALL_INT,
  TEXTS,
  TRUE,
  UNDEFINED,
} from './tags.ts'
import { readTexts } from './text-run.ts'

/** An array that is longer than its elements by more than this is given no memory for the rest. */
const GAP_MAX = 1024
const HEXADECIMAL = /^[0-9a-f]+$/

/** Reads the value at the reader's position. */
export function readValue(r: Reader): unknown {
  const tag = r.byte()
  if (tag >= SMALL_INT) return tag - SMALL_INT
  if (tag >= SHORT_TEXT) return r.textAfter(tag)
  if (tag >= SHAPE) return readShaped(r, tag - SHAPE)
  switch (tag) {
    case OBJECT:
      return readPlain(r)
    case ARRAY:
      return readArray(r)
    case INT32:
      return r.int32()
    case DOUBLE:
      return r.double()
    case TRUE:
      return true
    case FALSE:
      return false
    case NULL:
      return null
    case UNDEFINED:
      return undefined
    default:
      return readRare(r, tag)
  }
}

function readRare(r: Reader, tag: number): unknown {
  switch (tag) {
    case REFERENCE:
      return r.recall()
    case HOLE:
      r.holes++
      return ABSENT
    case ARRAY_KEYED:
      return readKeyedArray(r)
    case BIGINT64:
      return r.bigInt64()
    case BIGINT:
      return readBigInt(r)
    case MAP:
      return readMap(r)
    case SET:
      return readSet(r)
    case DATE:
      return r.remember(new Date(r.double()))
    case REGEXP:
      return readRegExp(r)
    case BOXED:
      return readBoxed(r)
    case BINARY:
      return readBinary(r)
    case SLAB:
      return readSlab(r)
    case ERROR:
      return readError(r, readValue)
    default:
      // A text, or no tag at all.
      return r.textAfter(tag)
  }
}

function readShaped(r: Reader, number: number): object {
  const read = r.shapes?.at(number, readValue)
  if (read === undefined) throw corrupt('it has an unknown shape')
  return read(r)
}

function readPlain(r: Reader): object {
  const object = r.remember({} as Record<string, unknown>)
  r.enter()
  for (let key = r.key(); key !== undefined; key = r.key()) {
    if (r.assignable) object[key] = readValue(r)
    else define(object, key, readValue(r))
  }
  r.leave()
  return object
}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

function readArray(r: Reader): unknown[] {
  const length = r.length()
  if (length > r.end - r.pos) throw corrupt('an array has a wrong length')
  // Grown as the elements come: many nested arrays could each claim all that remains.
  const array: unknown[] = r.remember([])
  r.enter()
  for (let at = 0; at < length; at++) {
    if (r.buf[r.pos] === TEXTS && r.passed(TEXTS)) {
      readTexts(r, array, length)
      at = array.length - 1
    } else array.push(readValue(r))
  }
  r.leave()
  return array
}

function readKeyedArray(r: Reader): unknown[] {
  const length = r.length()
  if (length > 0xffff_ffff) throw corrupt('an array has a wrong length')
  const array: unknown[] = r.remember([])
  r.enter()
  while (array.length < length && !r.passed(HOLE)) {
    if (r.passed(TEXTS)) readTexts(r, array, length)
    else array.push(readValue(r))
  }
  stretch(array, length)
  for (let key = r.key(); key !== undefined; key = r.key()) {
    if (key === 'length') throw corrupt('an array has a second length')
    define(array, key, readValue(r))
  }
  r.leave()
  return array
}

/** Sets the length. An element far behind the others makes V8 keep them in a table, which needs no holes. */
function stretch(array: unknown[], length: number): void {
  if (length - array.length > GAP_MAX) {
    array[length - 1] = undefined
    delete array[length - 1]
  }
  array.length = length
}

function readMap(r: Reader): Map<unknown, unknown> {
  const map = r.remember(new Map())
  r.enter()
  while (!r.passed(END)) {
    const key = readValue(r)
    map.set(key, readValue(r))
  }
  r.leave()
  return map
}

function readSet(r: Reader): Set<unknown> {
  const set = r.remember(new Set())
  r.enter()
  while (!r.passed(END)) set.add(readValue(r))
  r.leave()
  return set
}

function readRegExp(r: Reader): RegExp {
  const source = r.text()
  const flags = r.text()
  try {
    return r.remember(new RegExp(source, flags))
  } catch (cause) {
    throw corrupt('a regular expression is invalid', cause)
  }
}

function readBigInt(r: Reader): bigint {
  const sign = r.byte()
  const digits = r.text()
  if ((sign !== TRUE && sign !== FALSE) || !HEXADECIMAL.test(digits)) throw corrupt('a BigInt is invalid')
  try {
    const magnitude = BigInt(`0x${digits}`)
    return sign === TRUE ? -magnitude : magnitude
  } catch (cause) {
    throw corrupt('a BigInt is too large', cause)
  }
}

function readBoxed(r: Reader): object {
  const value = readPrimitive(r)
  return r.remember(Object(value) as object)
}

function readPrimitive(r: Reader): string | number | boolean | bigint {
  const tag = r.byte()
  if (tag >= SMALL_INT) return tag - SMALL_INT
  if (tag === INT32) return r.int32()
  if (tag === DOUBLE) return r.double()
  if (tag === TRUE) return true
  if (tag === FALSE) return false
  if (tag === BIGINT64) return r.bigInt64()
  if (tag === BIGINT) return readBigInt(r)
  return r.textAfter(tag)
}
