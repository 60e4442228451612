/** What a worker's process runs: takes the thread's messages, until it is told to close or the thread is gone. */
import { Socket } from 'node:net'
import { setPriority } from 'node:os'
import process from 'node:process'
import { errorToWire } from '../../errors.ts'
import type { StopLevel } from '../../queue/stop-event.ts'
import { findDefinitions } from '../stage-locator.ts'
import { replaceOwn } from '../straight-stream.ts'
import { Channel, type Message } from './channel.ts'
import { ChildStage } from './child-stage.ts'
import {
  ANSWERS_FD,
  CANCEL,
  CLOSE,
  FLUSH,
  ITEM,
  MORE,
  OPENED,
  type ProcessTask,
  QUESTIONS_FD,
  READ,
  STOP,
  TASK,
} from './messages.ts'

const questions = new Socket({ fd: QUESTIONS_FD, readable: true, writable: false })
const answers = new Socket({ fd: ANSWERS_FD, readable: false, writable: true })
const channel = new Channel(questions, answers, take)
let stage: ChildStage | undefined
/** What came while the stage was still being loaded. */
let early: Message[] | undefined = []

replaceOwn('stdout', 1)
replaceOwn('stderr', 2)
process.once('exit', () => channel.flushAtExit(ANSWERS_FD))
// The thread is gone. Where this process is too busy to hear of it, guardian.ts ends it.
void channel.closed.then(() => process.exit(1))

function take(message: Message): void {
  if (message.kind === TASK) void open(message.value as ProcessTask)
  else if (early !== undefined) early.push(message)
  else obey(message)
}

async function open(task: ProcessTask): Promise<void> {
  try {
    if (task.nice !== undefined) setPriority(task.nice)
    stage = new ChildStage(task, await findDefinitions(task.locator), channel)
  } catch (error) {
    channel.send(OPENED, 0, errorToWire(error))
    channel.flush()
    return
  }
  await stage.open()
  const waiting = early ?? []
  early = undefined
  for (const message of waiting) obey(message)
}

function obey({ kind, id, value }: Message): void {
  if (kind === ITEM) {
    const [item, attempt, input] = value as [number, number, unknown]
    stage?.ask({ id, item, attempt, value: input })
  } else if (kind === FLUSH) stage?.flush(id)
  else if (kind === READ) void stage?.read(id)
  else if (kind === MORE) stage?.more(id, value as number)
  else if (kind === CANCEL) stage?.cancel(id)
  else if (kind === STOP) stage?.setStop(value as StopLevel)
  else if (kind === CLOSE) void close()
}

async function close(): Promise<void> {
  await stage?.close()
  // What it left open does not keep the process alive.
  answers.end(() => process.exit(0))
}
