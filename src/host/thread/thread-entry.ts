/** What a worker's thread runs: finds its stage, runs the loop, says what happened. */
import { parentPort, workerData } from 'node:worker_threads'
import { noteUse } from '../../code/uses.ts'
import { bug, MillraceError } from '../../errors.ts'
import { DONE, WorkerCounters } from '../../observe/counters.ts'
import { makeFailure } from '../../observe/failure.ts'
import { StopEvent } from '../../queue/stop-event.ts'
import { portSink } from '../notice-port.ts'
import type { ProxySteps } from '../process/process-proxy.ts'
import { findDefinitions } from '../stage-locator.ts'
import { playTypescript } from '../typescript.ts'
import { countActiveResources } from '../waiting.ts'
import type { ToWorker } from '../worker-life.ts'
import { WorkerLoop } from '../worker-loop.ts'
import { writeStraightThrough } from './stdio.ts'
import type { FromThread, ThreadTask } from './thread-task.ts'

const port = parentPort
if (port === null) throw bug('thread-entry was loaded outside a worker')
const task = workerData as ThreadTask
const stop = StopEvent.from(task.stop)
const counters = new WorkerCounters(task.counters, task.index)
const post = (message: FromThread): void => port.postMessage(message)

let loop: WorkerLoop | undefined
let start = (): void => {}
const started = new Promise<void>((resolve) => {
  start = resolve
})
port.on('message', (message: ToWorker) => {
  if (message.millrace === 'start') start()
  else loop?.hear(message)
})
port.unref()
writeStraightThrough(stop, counters)
// What the thread itself needs of the event loop, before user code comes in.
const baseline = countActiveResources()
port.ref()

try {
  if (task.typescript !== undefined) playTypescript(task.typescript)
  const definitions = await findDefinitions(task.locator)
  const { notices } = task
  const ear = notices && {
    tell: portSink(notices, () => stop.isSet),
    levels: notices.levels,
    trace: notices.trace,
  }
  const { ProcessProxy } = task.stage.host === 'process' ? await import('../process/process-proxy.ts') : {}
  loop = new WorkerLoop(task, definitions, {
    ...(ProcessProxy && {
      bind: (steps: ProxySteps) => new ProcessProxy(task, steps, ear),
    }),
    ear,
    baseline,
    ready: async () => {
      post({ millrace: 'ready' })
      await started
      port.unref()
    },
    fail: (failure, isItem, origins = []) => post({ millrace: 'failure', failure, isItem, origins }),
    die: (death) => {
      post({ millrace: 'death', death })
      process.exit(1)
    },
  })
  await loop.run()
} catch (error) {
  const code = error instanceof MillraceError ? error.code : 'MILLRACE_MODULE_FAILED'
  post({
    millrace: 'failure',
    failure: makeFailure(code, 'could not be loaded', task.place, error),
    isItem: false,
    origins: [],
  })
  stop.set('abort')
  counters.life = DONE
}
// To keep code takes writing a file: an abort waits for no disk.
if (stop.level !== 'abort') noteUse(`${task.stage.kind} ${stop.level}`)
// The DONE mark is written: what the stage left open (a timer, a socket) does not keep its thread alive.
process.exit()
