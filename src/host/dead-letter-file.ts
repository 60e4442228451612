/**
 * Dead letters as lines of a file, one JSON object each.
 *
 * Whatever a queue can carry can be read in the file. What JSON cannot show is written as an object with one key:
 *   {"$bytes": "AAEC"}              bytes in base64; any other view or buffer also has "$type"
 *   {"$bigint": "12"}, {"$number": "NaN"}, {"$date": "2026-01-31T12:00:00.000Z"}, {"$undefined": true}
 *   {"$map": [[key, value], ...]}, {"$set": [value, ...]}, {"$regexp": "/a/g"}
 *   {"$error": {name, message, stack, ...}}
 *   {"$array": {"0": value, ...}, "$length": 9}   an array with holes, or with keys of its own
 *   {"$ref": "$.input.list[0]"}     the same object as the one at that place of the line, around it or before it
 *   {"$text": "..."}                anything else, as Node would print it
 * A key of the item's own that begins with "$" gets another "$" before it.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync } from 'node:fs'
import { inspect, types } from 'node:util'
import type { DeadLetter } from '../define/dead-letter.ts'
import type { StageObject } from '../define/stage-body.ts'
import { errorToWire, MillraceError } from '../errors.ts'
import { writeAllSync } from './write-sync.ts'

const NEWLINE = 0x0a

/**
 * A sink that appends each letter to a file, as one line, before it takes the next. The file is made if it is not
 * there; its directory is not. What was written is on the disk when the sink closes.
 *
 * Errors: MILLRACE_DEAD_LETTERS_FAILED names the file.
 */
export function makeDeadLetterSink(file: string): StageObject<DeadLetter, void, number> {
  return {
    open: () => named(file, 'opened', () => openFile(file)),
    process: (letter, fd) => named(file, 'written to', () => writeLine(fd, letter)),
    close: (fd) =>
      named(file, 'closed', () => {
        try {
          fsyncSync(fd)
        } catch (error) {
          // A pipe or a terminal cannot be synchronised.
          if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
        } finally {
          closeSync(fd)
        }
      }),
  }
}

function named<T>(file: string, what: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    const message = `the dead-letter file ${file} could not be ${what}: ${(cause as Error).message}`
    throw new MillraceError('MILLRACE_DEAD_LETTERS_FAILED', message, { cause })
  }
}

function openFile(file: string): number {
  const fd = openSync(file, 'a')
  // A process that was killed while it wrote left half a line: the next one must not be glued to it.
  if (isTorn(file, fd)) writeWhole(fd, Buffer.of(NEWLINE))
  return fd
}

function isTorn(file: string, fd: number): boolean {
  const stat = fstatSync(fd)
  if (!stat.isFile() || stat.size === 0) return false
  const last = Buffer.alloc(1)
  const reading = openSync(file, 'r')
  try {
    return readSync(reading, last, 0, 1, stat.size - 1) === 1 && last[0] !== NEWLINE
  } finally {
    closeSync(reading)
  }
}

function writeLine(fd: number, letter: DeadLetter): void {
  writeWhole(fd, gather(letter))
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  if (!writeAllSync(fd, bytes)) throw Object.assign(new Error('nobody reads it'), { code: 'EPIPE' })
}

/** Part of a line: text, or more parts. Parts within parts are no calls within calls: no value is too deep. */
type Part = string | Iterator<Part>

/** Characters per chunk of a line: a line may be longer than a string can be. */
const CHUNK = 1 << 16

function gather(letter: DeadLetter): Buffer {
  const chunks: Buffer[] = []
  let text = ''
  const open: Iterator<Part>[] = [line(letter)]
  while (open.length > 0) {
    const step = open[open.length - 1].next()
    if (step.done) open.pop()
    else if (typeof step.value === 'string') text += step.value
    else open.push(step.value)
    if (text.length < CHUNK && open.length > 0) continue
    chunks.push(Buffer.from(text))
    text = ''
  }
  return Buffer.concat(chunks)
}

function* line(letter: DeadLetter): Generator<Part> {
  yield readable(letter, '$', new Map())
  yield '\n'
}

/** @param seen the objects so far, and where they stand */
function readable(value: unknown, path: string, seen: Map<object, string>): Part {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return value.length < CHUNK ? JSON.stringify(value) : longText(value)
  if (typeof value === 'number') {
    const isShown = Number.isFinite(value) && !Object.is(value, -0)
    return isShown ? String(value) : tagged('number', Object.is(value, -0) ? '-0' : String(value))
  }
  if (typeof value === 'bigint') return tagged('bigint', String(value))
  if (value === undefined) return '{"$undefined":true}'
  if (typeof value !== 'object') return tagged('text', String(value))
  const first = seen.get(value)
  if (first !== undefined) return tagged('ref', first)
  seen.set(value, path)
  return readableObject(value, path, seen)
}

function readableObject(value: object, path: string, seen: Map<object, string>): Part {
  if (Array.isArray(value)) return isDense(value) ? list(value, path, seen) : holes(value, path, seen)
  if (ArrayBuffer.isView(value)) return binary(value, value.buffer, value.byteOffset, value.byteLength)
  if (types.isAnyArrayBuffer(value)) return binary(value, value, 0, value.byteLength)
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? '{"$date":null}' : tagged('date', value.toISOString())
  if (value instanceof RegExp) return tagged('regexp', String(value))
  if (value instanceof Map) return wrapped('map', list([...value], `${path}.$map`, seen))
  if (value instanceof Set) return wrapped('set', list([...value], `${path}.$set`, seen))
  if (value instanceof Error) return wrapped('error', readable(errorToWire(value), `${path}.$error`, seen))
  if (types.isBoxedPrimitive(value)) return readable(value.valueOf(), path, seen)
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
    ? fields(Object.entries(value), path, seen)
    : tagged('text', inspect(value, { depth: 8 }))
}

function isDense(value: readonly unknown[]): boolean {
  return Object.keys(value).length === value.length
}

function* list(values: readonly unknown[], path: string, seen: Map<object, string>): Generator<Part> {
  yield '['
  for (let index = 0; index < values.length; index++) {
    if (index > 0) yield ','
    yield readable(values[index], `${path}[${index}]`, seen)
  }
  yield ']'
}

function* fields(entries: [string, unknown][], path: string, seen: Map<object, string>): Generator<Part> {
  yield '{'
  for (let index = 0; index < entries.length; index++) {
    const [name, value] = entries[index]
    const key = name.startsWith('$') ? `$${name}` : name
    yield `${index > 0 ? ',' : ''}${JSON.stringify(key)}:`
    const place = /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
    yield readable(value, path + place, seen)
  }
  yield '}'
}

function* holes(value: readonly unknown[], path: string, seen: Map<object, string>): Generator<Part> {
  yield '{"$array":'
  yield fields(Object.entries(value), `${path}.$array`, seen)
  yield `,"$length":${value.length}}`
}

function* binary(value: object, buffer: ArrayBufferLike, offset: number, length: number): Generator<Part> {
  yield '{"$bytes":"'
  // A multiple of 3: only the last one is padded.
  const step = 3 * (CHUNK / 4)
  for (let at = 0; at < length; at += step) {
    yield Buffer.from(buffer, offset + at, Math.min(step, length - at)).toString('base64')
  }
  yield value instanceof Uint8Array
    ? '"}'
    : `","$type":"${Object.prototype.toString.call(value).slice(8, -1)}"}`
}

/** A character of two halves may be cut in two: each half is written as an escape, and read as what it was. */
function* longText(text: string): Generator<Part> {
  yield '"'
  for (let at = 0; at < text.length; at += CHUNK)
    yield JSON.stringify(text.slice(at, at + CHUNK)).slice(1, -1)
  yield '"'
}

function* wrapped(tag: string, part: Part): Generator<Part> {
  yield `{"$${tag}":`
  yield part
  yield '}'
}

function tagged(tag: string, text: string): string {
  return `{"$${tag}":${JSON.stringify(text)}}`
}
