/** `ctx.log`: to the logger of the run, or, where there is none, a line for each call on stderr. */
import { format } from 'node:util'
import type { Logger } from '../define/stage-body.ts'
import type { WorkerCounters } from '../observe/counters.ts'
import { LOG_LEVELS, type LogLevel, type LogNotice, type NoticePlace, type NoticeSink } from './notice.ts'
import { writeAllSync } from './write-sync.ts'

const STDERR = 2

/** Makes `ctx.log` for a context; what it says of the item in hand is read at each call. */
export type MakeLog = (place: NoticePlace) => Logger

/** At once, so that nothing is lost when the thread ends, with the names of pipeline and stage. */
export function logToStderr(counters: WorkerCounters): MakeLog {
  return ({ pipeline, stage }) =>
    makeLogger((level, message) => {
      counters.noteWrite(STDERR)
      writeAllSync(STDERR, Buffer.from(`${level} ${pipeline}/${stage}: ${format(...message)}\n`))
    })
}

/** @param levels those that the logger wants; others cost nothing */
export function logToRun(tell: NoticeSink, levels: readonly LogLevel[]): MakeLog {
  return (context) =>
    makeLogger((level, message) => {
      if (!levels.includes(level)) return
      const { pipeline, stage, worker, item } = context
      tell({ kind: 'log', level, pipeline, stage, worker, item, ...parse(message) })
    })
}

function makeLogger(write: (level: LogLevel, message: unknown[]) => void): Logger {
  const at = (level: LogLevel) => [level, (...message: unknown[]) => write(level, message)]
  return Object.fromEntries(LOG_LEVELS.map(at))
}

/** As pino understands a call: fields or an error first, if at all, then a text and its values. */
function parse(message: readonly unknown[]): Pick<LogNotice, 'fields' | 'message'> {
  const [first, ...rest] = message
  const text = rest.length === 0 ? undefined : format(...rest)
  if (first instanceof Error) return { fields: { err: first }, message: text ?? first.message }
  if (isPlain(first)) return { fields: { ...first }, message: text }
  return { fields: {}, message: format(...message) }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
