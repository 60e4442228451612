/**
 * What a worker tells its run as it goes: lines of its log, items that are traced. As bytes, it travels from threads and
 * processes.
 */
import { inspect } from 'node:util'
import type { WireError } from '../errors.ts'
import type { ItemOrigin } from '../observe/failure.ts'
import { decode } from '../queue/codec/decode.ts'
import { encodeToScratch } from '../queue/codec/encode.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where a notice comes from. */
export interface NoticePlace {
  pipeline: string
  stage: string
  worker: number
  /** The item in hand, by its number at the source; 0: none. */
  item: number
}

/** One call of `ctx.log`. */
export interface LogNotice extends NoticePlace {
  kind: 'log'
  level: LogLevel
  /** Of an object that it was given first: its own fields. */
  fields: Record<string, unknown>
  message: string | undefined
}

/** A try of an item that is traced, or of a batch that has one, begins: told before anything comes of it. */
export interface ItemBeginNotice extends NoticePlace {
  kind: 'item begin'
  /** Names the try among those of this life of its worker. */
  id: number
  source: number
  attempt: number
  /** How many items it was: more than one in a batch. */
  items: number
  /** Those of them that are traced. */
  traced: readonly ItemOrigin[]
  /** When it began, in milliseconds since 1970. */
  startMs: number
}

/** It has ended. */
export interface ItemNotice extends Omit<ItemBeginNotice, 'kind'> {
  kind: 'item'
  endMs: number
  /** What it failed with. */
  error?: WireError
}

export type Notice = LogNotice | ItemBeginNotice | ItemNotice

/** Which items are traced, and in whose name. */
export interface TraceTask {
  /** Of the span that is the parent of what the worker does: https://www.w3.org/TR/trace-context/. */
  traceparent: string
  /** The first item of a source is, and every so many after it. */
  sampleEvery: number
}

/** What the run wants to hear of, and how it is told. */
export interface Ear {
  tell: NoticeSink
  /** What its logger wants; undefined: there is none. */
  levels: readonly LogLevel[] | undefined
  trace: TraceTask | undefined
}

/** Takes what a worker tells. Never throws. */
export type NoticeSink = (notice: Notice) => void

/** In memory of its own. What cannot travel goes as the text that `util.inspect` makes of it. */
export function encodeNotice(notice: Notice): Uint8Array<ArrayBuffer> {
  return new Uint8Array(tryEncode(notice) ?? encodeToScratch(reduced(notice)))
}

export function decodeNotice(bytes: Uint8Array): Notice {
  const { buffer, byteOffset, byteLength } = bytes
  return decode(Buffer.from(buffer, byteOffset, byteLength), 0, byteLength) as Notice
}

function reduced(notice: Notice): Notice {
  if (notice.kind === 'log') return { ...notice, fields: travelling(notice.fields) }
  if (notice.kind === 'item begin') return notice
  const { error, ...rest } = notice
  if (error === undefined) return rest
  const { name, message, type } = error
  return { ...rest, error: { name, message, type } }
}

function travelling(fields: Record<string, unknown>): Record<string, unknown> {
  const able: Record<string, unknown> = {}
  for (const name of Object.keys(fields)) able[name] = ableToTravel(fields[name])
  return able
}

function ableToTravel(value: unknown): unknown {
  if (tryEncode(value) !== undefined) return value
  try {
    return inspect(value)
  } catch {
    return 'what cannot be shown'
  }
}

/** Valid until the next value is encoded. A getter of the value may throw. */
function tryEncode(value: unknown): Buffer | undefined {
  try {
    return encodeToScratch(value)
  } catch {
    return undefined
  }
}
