import { types } from 'node:util'
import { INDEX, PROPERTY } from './path.ts'
import { hasNoBrand } from './platform.ts'
import { putBigInt64 } from './put-scalar.ts'
import { ARRAY, ARRAY_KEYED, BIGINT, FALSE, HOLE, KEYS_END, NULL, OBJECT, TRUE, UNDEFINED } from './tags.ts'
import { isWorthARun, TextRun } from './text-run.ts'
import { writeBranded } from './write-branded.ts'
import type { Writer } from './writer.ts'

const hasOwn = Object.prototype.hasOwnProperty

/** Up to this many elements `Object.keys` is cheaper than `Object.values`. */
const FEW_ELEMENTS = 8

/** Writes any value at the writer's position. */
export function writeValue(w: Writer, value: unknown): void {
  if (typeof value === 'string') w.text(value)
  else if (typeof value === 'number') w.number(value)
  else if (value === null) w.byte(NULL)
  else if (typeof value === 'object') writeObject(w, value)
  else if (typeof value === 'boolean') w.byte(value ? TRUE : FALSE)
  else if (value === undefined) w.byte(UNDEFINED)
  else if (typeof value === 'bigint') writeBigInt(w, value)
  else throw w.refusal(typeof value)
}

function writeObject(w: Writer, value: object): void {
  // First: a Proxy answers every later question as its target would.
  if (types.isProxy(value)) throw w.refusal('a Proxy')
  const known = w.seen.add(value)
  if (known >= 0) w.reference(known)
  else if (Array.isArray(value)) writeArray(w, value)
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    if (w.shapes === undefined || !w.shapes.tryWrite(w, value, writeValue)) writePlain(w, value)
  } else if (isPlainInstance(value)) writePlain(w, value)
  else if (!writeBranded(w, value, writeValue)) writePlain(w, value)
}

function isPlainInstance(value: object): boolean {
  const proto = Object.getPrototypeOf(value)
  return proto !== null && hasNoBrand(proto)
}

function writePlain(w: Writer, value: object): void {
  w.byte(OBJECT)
  const level = w.enter(PROPERTY)
  // `for in` with a check copies no list of keys, as Object.keys would.
  for (const key in value) {
    if (!hasOwn.call(value, key)) continue
    w.path[level] = key
    w.key(key)
    writeValue(w, (value as Record<string, unknown>)[key])
  }
  w.byte(KEYS_END)
  w.depth = level
}

function writeArray(w: Writer, value: unknown[]): void {
  const { length } = value
  const tagAt = w.pos
  let keyed = hasMoreThanElements(value)
  w.byte(keyed ? ARRAY_KEYED : ARRAY)
  w.length(length)
  const level = w.enter(INDEX)
  let run: TextRun | undefined
  let dense = 0
  for (; dense < length; dense++) {
    const entry = value[dense]
    if (typeof entry === 'string') {
      if (run === undefined && isWorthARun(entry, length)) run = new TextRun()
      if (run === undefined) w.text(entry)
      else run.add(w, entry)
      continue
    }
    run?.write(w)
    if (entry === undefined && !hasOwn.call(value, dense)) {
      w.byte(HOLE)
      w.buf[tagAt] = ARRAY_KEYED
      keyed = true
      break
    }
    if (typeof entry === 'number') w.number(entry)
    else {
      w.path[level] = dense
      writeValue(w, entry)
    }
  }
  run?.write(w)
  if (keyed) writeRest(w, value, dense, length)
  w.depth = level
}

/**
 * Whether the array has holes or properties of its own beside its elements.
 *
 * Wrong only when there are as many holes as properties; the loop over the elements then meets a hole.
 */
function hasMoreThanElements(value: unknown[]): boolean {
  const { length } = value
  if (length <= FEW_ELEMENTS) return Object.keys(value).length !== length
  // What `array.length = 1e7` makes; Object.values would take memory for each hole.
  if (!hasOwn.call(value, length - 1)) return true
  return Object.values(value).length !== length
}

/** The own properties of an array but for the elements before `from`, and for any behind its former length. */
function writeRest(w: Writer, value: unknown[], from: number, length: number): void {
  const level = w.depth - 1
  for (const key in value) {
    if (!hasOwn.call(value, key)) continue
    const index = Number(key)
    if (index >>> 0 === index && String(index) === key && (index < from || index >= length)) continue
    w.path[level] = String(index) === key ? index : key
    w.key(key)
    writeValue(w, value[key as unknown as number])
  }
  w.byte(KEYS_END)
}

function writeBigInt(w: Writer, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    w.room(9)
    w.pos = putBigInt64(value, w.buf, w.pos, w.limit)
    return
  }
  w.byte(BIGINT)
  w.byte(value < 0n ? TRUE : FALSE)
  w.text((value < 0n ? -value : value).toString(16))
}
