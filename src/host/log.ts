/** `ctx.log`: one line per message on stderr, with the stage's name. */
import { format } from 'node:util'
import type { Logger } from '../define/stage-body.ts'
import type { WorkerCounters } from '../observe/counters.ts'
import type { ContextPlace } from './worker-context.ts'
import { writeAllSync } from './write-sync.ts'

const STDERR = 2

export function makeLog(place: ContextPlace, counters: WorkerCounters): Logger {
  const write =
    (level: string) =>
    (...message: unknown[]): void => {
      counters.noteWrite(STDERR)
      writeAllSync(STDERR, Buffer.from(`${level} ${place.pipeline}/${place.stage}: ${format(...message)}\n`))
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
