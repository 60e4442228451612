/**
 * The codec with random values and random bytes: what was written comes back, within its bounds; what was not written by it is a
 * clear error, soon, and nothing else.
 */
import { isDeepStrictEqual } from 'node:util'
import { decode } from '../../src/queue/codec/decode.ts'
import { encode, encodeToScratch } from '../../src/queue/codec/encode.ts'
import { ShapeReader } from '../../src/queue/codec/shape-reader.ts'
import { TABLE_BYTES } from '../../src/queue/codec/shape-table.ts'
import { ShapeWriter } from '../../src/queue/codec/shape-writer.ts'
import { type Below, randomFrom, randomValue } from './random-value.ts'

export interface FuzzResult {
  /** Values written and read again. */
  values: number
  /** Records with some bytes changed, and records of noise. */
  records: number
  /** Of those, how many were a value all the same. */
  valid: number
  elapsedMs: number
  fault?: string
}

const SIZE = 64 * 1024
const GUARD = 0xa5
/** The two sides of a table of shapes; either may begin anew. */
interface Shapes {
  table: SharedArrayBuffer
  writer: ShapeWriter
  reader: ShapeReader
}

/** A record of a few hundred bytes must be judged within that, also while another process has the core. */
const MOST_MS = 1000

export function fuzzCodec(seed: number, values: number, records: number, mostMs: number): FuzzResult {
  const began = performance.now()
  const below = randomFrom(seed)
  const result: FuzzResult = { values: 0, records: 0, valid: 0, elapsedMs: 0 }
  const memory = Buffer.from(new SharedArrayBuffer(SIZE))
  const shapes = newShapes(new SharedArrayBuffer(TABLE_BYTES))
  const seeds: Buffer[] = []
  // Most records are refused, and to write down where is most of the work.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const isOver = (): boolean => performance.now() - began > mostMs
  try {
    while (result.values < values && !((result.values & 1023) === 0 && isOver())) {
      const value = randomValue(below, 3)
      writeAndRead(value, memory, below)
      writeAndReadShaped(value, memory, below, shapes)
      const known = below(2) === 0 ? shapes.writer : undefined
      if (seeds.length < 500 || below(100) === 0)
        seeds[below(500)] = Buffer.from(encodeToScratch(value, undefined, known))
      result.values++
    }
    const known = seeds.filter((record) => record !== undefined && record.length > 0)
    while (result.records < records && !((result.records & 1023) === 0 && isOver())) {
      const bytes = result.records % 4 === 0 ? noise(below) : changed(known[below(known.length)], below)
      if (survives(bytes, shapes.reader)) result.valid++
      result.records++
    }
  } catch (error) {
    result.fault = `seed ${seed}, value ${result.values}, record ${result.records}: ${String(error)}`
  }
  Error.stackTraceLimit = stackTraceLimit
  result.elapsedMs = performance.now() - began
  return result
}

function writeAndRead(value: unknown, memory: Buffer, below: Below): void {
  const start = below(64)
  const length = encodeToScratch(value).length
  const room = below(4) === 0 ? below(length + 1) : length
  const limit = start + room
  memory.fill(GUARD, limit, limit + 16)
  const end = encode(value, memory, start, limit)
  for (let at = limit; at < limit + 16; at++) {
    if (memory[at] !== GUARD) throw new Error(`it wrote ${at - limit + 1} bytes behind its limit`)
  }
  if (room < length) {
    if (end !== -1) throw new Error(`a record of ${length} bytes was written into ${room}`)
    return
  }
  if (end !== start + length) throw new Error(`it ended at ${end}, not at ${start + length}`)
  const back = decode(memory, start, end)
  if (!isDeepStrictEqual(back, value)) throw new Error('another value came back than was written')
}

function newShapes(table: SharedArrayBuffer): Shapes {
  return { table, writer: new ShapeWriter(table, 0), reader: new ShapeReader(table, 0) }
}

/** A shape may be learned at any time, so a record may be shorter than one before. */
function writeAndReadShaped(value: unknown, memory: Buffer, below: Below, shapes: Shapes): void {
  if (below(500) === 0) shapes.writer = new ShapeWriter(shapes.table, 0)
  if (below(500) === 0) shapes.reader = new ShapeReader(shapes.table, 0)
  const start = below(64)
  const length = encodeToScratch(value, undefined, shapes.writer).length
  const limit = start + (below(4) === 0 ? below(length + 1) : length)
  memory.fill(GUARD, limit, limit + 16)
  const end = encode(value, memory, start, limit, undefined, shapes.writer)
  for (let at = limit; at < limit + 16; at++) {
    if (memory[at] !== GUARD)
      throw new Error(`it wrote ${at - limit + 1} bytes behind its limit, with shapes`)
  }
  if (end === -1 && limit < start + length) return
  if (end < start || end > limit)
    throw new Error(`with shapes it ended at ${end}, between ${start} and ${limit}`)
  const back = decode(memory, start, end, undefined, shapes.reader)
  if (!isDeepStrictEqual(back, value)) throw new Error('with shapes another value came back than was written')
}

function changed(record: Buffer, below: Below): Buffer {
  const bytes = Buffer.from(record)
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.length)
    const how = below(4)
    // Tags are small: bytes of any value would seldom make one.
    if (how === 0) bytes[at] = below(32)
    else if (how === 1) bytes[at] = below(256)
    else bytes[at] ^= 1 << below(8)
  }
  return below(5) === 0 ? bytes.subarray(0, below(bytes.length + 1)) : bytes
}

function noise(below: Below): Buffer {
  const bytes = Buffer.allocUnsafe(1 + below(100))
  for (let at = 0; at < bytes.length; at++) bytes[at] = below(3) === 0 ? below(256) : below(32)
  return bytes
}

/** Whether the bytes were a value. @throws if they were neither a value nor refused as corrupt */
function survives(bytes: Buffer, shapes: ShapeReader): boolean {
  const before = performance.now()
  let isValue = true
  try {
    decode(bytes, 0, bytes.length, undefined, shapes)
  } catch (error) {
    if ((error as { code?: string }).code !== 'MILLRACE_CORRUPT_RECORD') {
      throw new Error(`${bytes.toString('hex')} gave ${String(error)}`)
    }
    isValue = false
  }
  const tookMs = performance.now() - before
  if (tookMs > MOST_MS) throw new Error(`${bytes.toString('hex')} took ${tookMs} ms`)
  return isValue
}
