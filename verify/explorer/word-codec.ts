/**
 * In place of the shipped codec: values are numbers, and each of their bytes' words is an operation. A record of the value v is the
 * word v and then ~v until it is full, so that one that is read while it is written over shows. Its length is 8 bytes,
 * and 8 more for each hundred in v.
 */
import type { Bytes } from './shared-views.ts'

export function lengthOf(value: number): number {
  return 8 + 8 * Math.floor(value / 100)
}

/** Numbers have no shape. */
export class ShapeReader {}
export class ShapeWriter {}
export const TABLE_BYTES = 0

export function encode(value: unknown, target: unknown, start: number, limit: number): number {
  const end = start + lengthOf(value as number)
  if (end > limit) return -1
  const bytes = target as Bytes
  bytes.writeWord(start, value as number)
  for (let at = start + 4; at < end; at += 4) bytes.writeWord(at, ~(value as number))
  return end
}

export function encodeToScratch(value: unknown): Buffer {
  return Buffer.alloc(lengthOf(value as number))
}

export function decode(source: unknown, start: number, end: number): unknown {
  const bytes = source as Bytes | Buffer
  const read = (at: number): number => ('readWord' in bytes ? bytes.readWord(at) : bytes.readInt32LE(at))
  const value = read(start)
  if (end - start !== lengthOf(value)) throw new Error(`a record of ${end - start} bytes says ${value}`)
  for (let at = start + 4; at < end; at += 4) {
    if (read(at) !== ~value) throw new Error(`a torn record: ${value} and ${~read(at)}`)
  }
  return value
}
