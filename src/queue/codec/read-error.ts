import { MillraceError } from '../../errors.ts'
import { corrupt, type Reader, type ReadValue } from './reader.ts'
import { ERROR_KINDS, UNDEFINED } from './tags.ts'

/** Reads an error. */
export function readError(r: Reader, readValue: ReadValue): Error {
  const kind = ERROR_KINDS[r.byte()]
  if (kind === undefined) throw corrupt('an error is of no known class')
  const message = optionalText(r)
  const name = r.text()
  const stack = optionalText(r)
  // Before the fields: they may refer to the error.
  const error = r.remember(revived(kind, message, name))
  if (error.name !== name) define(error, 'name', name, false)
  define(error, 'stack', stack, false)
  r.enterError()
  readFields(r, error, false, readValue)
  readFields(r, error, true, readValue)
  r.leaveError()
  return error
}

function readFields(r: Reader, error: Error, enumerable: boolean, readValue: ReadValue): void {
  for (let key = r.key(); key !== undefined; key = r.key()) define(error, key, readValue(r), enumerable)
}

function optionalText(r: Reader): string | undefined {
  return r.passed(UNDEFINED) ? undefined : r.text()
}

function revived(kind: string, message: string | undefined, name: string): Error {
  if (kind === 'AggregateError') return new AggregateError([], message)
  if (kind === 'DOMException') return new DOMException(message, name)
  // Its code comes with the fields.
  if (kind === 'MillraceError') return new MillraceError('MILLRACE_BUG', message ?? '')
  const Class = (globalThis as unknown as Record<string, ErrorConstructor>)[kind]
  return new Class(message)
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
}
