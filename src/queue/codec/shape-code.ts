/**
 * Functions for one shape, an object of certain keys in a certain order, as the text of a program: V8 makes loads and
 * stores of known names many times faster than those of names that it is given.
 *
 * They do, key by key, what writePlain and readPlain do (write-value.ts, read-value.ts): a value is written as any other, with
 * its tag, whatever it is. What they leave out is the keys. So a shape says nothing of its values, and none changes.
 */
import { PROPERTY } from './path.ts'
import { ABSENT, type Reader, type ReadValue } from './reader.ts'
import { HOLE } from './tags.ts'
import type { Writer, WriteValue } from './writer.ts'

/** False, and nothing written: the object is of another shape. Its own keys must be all that `for in` finds in it. */
export type WriteShape = (w: Writer, value: object) => boolean
export type ReadShape = (r: Reader) => object

const hasOwn = Object.prototype.hasOwnProperty

/**
 * The keys are compared before anything is read: reading may run a getter. A getter, of the object or of what it holds, may
 * still take away a key that is due later, which then counts for nothing, as with `for in`: hence the look at what is
 * undefined, and a hole for what is gone. To begin again in full would run getters twice. One that is added meanwhile is not
 * visited.
 */
export function makeWriteShape(keys: readonly string[], tag: number, writeValue: WriteValue): WriteShape {
  const write = keys.map(
    (_, at) => `
  x = value[${text(keys[at])}]
  if (typeof x === 'string') w.text(x)
  else if (typeof x === 'number') w.number(x)
  else {
    w.path[level] = ${text(keys[at])}
    if (x === undefined && !hasOwn.call(value, ${text(keys[at])})) w.byte(${HOLE})
    else writeValue(w, x)
  }`,
  )
  const body = `
return function writeShape(w, value) {
  let count = 0
  for (const key in value) if (key !== keys[count++]) return false
  if (count !== ${keys.length}) return false
  w.byte(${tag})
  const level = w.enter(${PROPERTY})
  let x${write.join('')}
  w.depth = level
  return true
}`
  return compile(['keys', 'hasOwn', 'writeValue'], body)([...keys], hasOwn, writeValue) as WriteShape
}

/**
 * The object is there before its values are read: they may refer to it. It grows key by key, as in readPlain: a literal with
 * all keys would be of another hidden class, and the user's function, compiled for one, would be thrown away. Where something
 * was added to Object.prototype, which an assignment might meet, it has its keys from the beginning.
 */
export function makeReadShape(keys: readonly string[], readValue: ReadValue): ReadShape {
  const body = `
return function readShape(r) {
  const isMet = ${keys.map((key) => `${text(key)} in prototype`).join(' || ')}
  const object = isMet ? { ${keys.map((key) => `${text(key)}: undefined`).join(', ')} } : {}
  r.remember(object)
  r.enter()
  ${keys.map((key) => `object[${text(key)}] = readValue(r)`).join('\n  ')}
  r.leave()
  if (r.holes > 0) takeHoles(r, object)
  return object
}`
  return compile(['readValue', 'prototype', 'takeHoles'], body)(
    readValue,
    Object.prototype,
    takeHoles,
  ) as ReadShape
}

/** Takes the keys away whose value the writer found gone. */
export function takeHoles(r: Reader, object: object): void {
  for (const [key, value] of Object.entries(object)) {
    if (value !== ABSENT) continue
    delete (object as Record<string, unknown>)[key]
    r.holes--
  }
}

/** Whether functions can be made of text here: `node --disallow-code-generation-from-strings` forbids it. */
export function canCompile(): boolean {
  try {
    return compile([], 'return true')() === true
  } catch {
    return false
  }
}

function compile(names: string[], body: string): (...values: unknown[]) => unknown {
  return new Function(...names, `'use strict'\n${body}`) as (...values: unknown[]) => unknown
}

function text(key: string): string {
  return JSON.stringify(key)
}
