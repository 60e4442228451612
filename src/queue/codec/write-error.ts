import { types } from 'node:util'
import { ADVICE, show } from '../../errors.ts'
import { INDEX, PROPERTY } from './path.ts'
import { isNative } from './platform.ts'
import { ARRAY, ERROR, ERROR_KINDS, KEYS_END, UNDEFINED } from './tags.ts'
import { OVERFLOW, type Writer, type WriteValue } from './writer.ts'

/**
 * Writes an error: its class, message, name and stack, then cause, errors, code and own fields.
 *
 * Not with `errorToWire`, which knows neither shared references nor causes that lead back to the error.
 * A field that cannot travel is left out, a cause that cannot is replaced by its text: the error itself
 * matters more than what hangs on it.
 */
export function writeError(w: Writer, error: Error, writeValue: WriteValue): void {
  w.byte(ERROR)
  w.byte(errorKind(error))
  const level = w.enterError(PROPERTY)
  writeText(w, messageOf(error))
  writeText(w, textOf(error, 'name') ?? 'Error')
  writeText(w, textOf(error, 'stack'))
  for (const key of ['cause', 'errors', 'code']) {
    if (isHidden(error, key)) writeField(w, error, key, level, writeValue)
  }
  w.byte(KEYS_END)
  for (const key of Object.keys(error)) writeField(w, error, key, level, writeValue)
  w.byte(KEYS_END)
  w.leaveError(level)
}

function writeField(w: Writer, error: Error, key: string, level: number, writeValue: WriteValue): void {
  w.path[level] = key
  const written = attempt(w, () => {
    const value = (error as unknown as Record<string, unknown>)[key]
    w.key(key)
    if (key === 'errors' && Array.isArray(value) && !types.isProxy(value)) writeErrors(w, value, writeValue)
    else writeValue(w, value)
  })
  if (written || key !== 'cause') return
  w.key(key)
  w.text(shown(error.cause))
}

/** An array whose entries become text where they cannot travel. */
function writeErrors(w: Writer, errors: unknown[], writeValue: WriteValue): void {
  const known = w.seen.add(errors)
  if (known >= 0) {
    w.reference(known)
    return
  }
  const { length } = errors
  w.byte(ARRAY)
  w.length(length)
  const level = w.enter(INDEX)
  for (let i = 0; i < length; i++) {
    w.path[level] = i
    if (!attempt(w, () => writeValue(w, errors[i]))) w.text(shown(errors[i]))
  }
  w.depth = level
}

/** Leaves no trace of what cannot be written. */
function attempt(w: Writer, write: () => void): boolean {
  const mark = w.mark()
  try {
    write()
    return true
  } catch (reason) {
    if (reason === OVERFLOW || isStackOverflow(reason)) throw reason
    w.rollback(mark)
    return false
  }
}

/** It can strike anywhere, in the middle of an update too: nothing that it interrupted may be used again. */
function isStackOverflow(reason: unknown): boolean {
  return reason instanceof RangeError && /call stack/.test(reason.message)
}

function errorKind(error: Error): number {
  const name = textOf(error, 'name')
  const code = read(error, 'code')
  if (name === 'MillraceError' && typeof code === 'string' && Object.hasOwn(ADVICE, code)) {
    return ERROR_KINDS.indexOf(name)
  }
  for (let proto = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const Class = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
    if (typeof Class !== 'function') continue
    const kind = ERROR_KINDS.indexOf(Class.name)
    if (kind >= 0 && (isNative(Class) || Class === globalThis.DOMException)) return kind
  }
  return 0
}

/** Whether the error has such a property, own or (a code) from its class, that does not show when listed. */
function isHidden(error: Error, key: string): boolean {
  const own = Object.getOwnPropertyDescriptor(error, key)
  if (own !== undefined) return !own.enumerable
  return key === 'code' && ['string', 'number'].includes(typeof read(error, key))
}

function messageOf(error: Error): string | undefined {
  return textOf(error, 'message') || (Object.hasOwn(error, 'message') ? '' : undefined)
}

function textOf(error: Error, key: string): string | undefined {
  const value = read(error, key)
  return typeof value === 'string' || value === undefined ? value : shown(value)
}

function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

function shown(value: unknown): string {
  try {
    return show(value)
  } catch {
    return 'a value that cannot be shown'
  }
}

function writeText(w: Writer, text: string | undefined): void {
  if (text === undefined) w.byte(UNDEFINED)
  else w.text(text)
}
