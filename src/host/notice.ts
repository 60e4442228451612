/** What a worker tells its run as it goes: a line of its log. As bytes, it travels from threads and processes. */
import { inspect } from 'node:util'
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

export type Notice = LogNotice

/** Takes what a worker tells. Never throws. */
export type NoticeSink = (notice: Notice) => void

/** In memory of its own. What cannot travel goes as the text that `util.inspect` makes of it. */
export function encodeNotice(notice: Notice): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    tryEncode(notice) ?? encodeToScratch({ ...notice, fields: travelling(notice.fields) }),
  )
}

export function decodeNotice(bytes: Uint8Array): Notice {
  const { buffer, byteOffset, byteLength } = bytes
  return decode(Buffer.from(buffer, byteOffset, byteLength), 0, byteLength) as Notice
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
