/** Encodes the objects that are more than their properties: by what they are, not by who their prototype is. */
import { types } from 'node:util'
import { MAP_KEY, MAP_VALUE, SET_MEMBER } from './path.ts'
import { described, hasNoBrand } from './platform.ts'
import { putDouble } from './put-scalar.ts'
import { BOXED, DATE, END, MAP, REGEXP, SET } from './tags.ts'
import { writeBinary } from './write-binary.ts'
import { writeError } from './write-error.ts'
import type { Writer, WriteValue } from './writer.ts'

// Of the prototypes: what a subclass overrides must not decide what travels.
const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values
const dateTime = Date.prototype.getTime
const mapSize = getter(Map.prototype, 'size') as (this: object) => number
const setSize = getter(Set.prototype, 'size') as (this: object) => number
const regexpSource = getter(RegExp.prototype, 'source') as (this: object) => string
const regexpFlags = getter(RegExp.prototype, 'flags') as (this: object) => string

function getter(proto: object, name: string): Function {
  return Object.getOwnPropertyDescriptor(proto, name)?.get as Function
}

/** Writes an object of a kind of its own; false for one that is plain after all. Refuses what cannot travel. */
export function writeBranded(w: Writer, value: object, writeValue: WriteValue): boolean {
  if (types.isMap(value)) writeMap(w, value, writeValue)
  else if (types.isSet(value)) writeSet(w, value, writeValue)
  else if (types.isDate(value)) writeDate(w, value)
  else if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) writeBinary(w, value)
  else if (types.isNativeError(value) || value instanceof Error) writeError(w, value, writeValue)
  else if (types.isRegExp(value)) writeRegExp(w, value)
  else if (types.isBoxedPrimitive(value)) writeBoxed(w, value, writeValue)
  else if (isPlainAfterAll(value)) return false
  else throw w.refusal(described(value))
  return true
}

function isPlainAfterAll(value: object): boolean {
  const proto = Object.getPrototypeOf(value)
  if (proto !== null) return hasNoBrand(proto)
  return !types.isModuleNamespaceObject(value) && !types.isExternal(value)
}

function writeMap(w: Writer, value: Map<unknown, unknown>, writeValue: WriteValue): void {
  w.byte(MAP)
  const level = w.enter(MAP_KEY)
  // Bounded, since a getter among the entries could add one at every turn.
  const count = mapSize.call(value)
  let at = 0
  for (const [key, entry] of mapEntries.call(value)) {
    if (at === count) break
    w.step(level, MAP_KEY, at)
    writeValue(w, key)
    if (typeof key === 'object' ? key !== null : false) w.step(level, MAP_VALUE, at)
    else w.step(level, MAP_VALUE, key)
    writeValue(w, entry)
    at++
  }
  w.byte(END)
  w.depth = level
}

function writeSet(w: Writer, value: Set<unknown>, writeValue: WriteValue): void {
  w.byte(SET)
  const level = w.enter(SET_MEMBER)
  const count = setSize.call(value)
  let at = 0
  for (const member of setValues.call(value)) {
    if (at === count) break
    w.path[level] = at++
    writeValue(w, member)
  }
  w.byte(END)
  w.depth = level
}

function writeDate(w: Writer, value: Date): void {
  w.byte(DATE)
  w.room(8)
  w.pos = putDouble(dateTime.call(value), w.buf, w.pos)
}

function writeRegExp(w: Writer, value: RegExp): void {
  w.byte(REGEXP)
  w.text(regexpSource.call(value))
  w.text(regexpFlags.call(value))
}

function writeBoxed(w: Writer, value: object, writeValue: WriteValue): void {
  if (types.isSymbolObject(value)) throw w.refusal('a Symbol object')
  w.byte(BOXED)
  writeValue(w, unboxed(value))
}

function unboxed(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value)
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value)
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value)
  return BigInt.prototype.valueOf.call(value)
}
