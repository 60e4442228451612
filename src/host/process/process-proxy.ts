/**
 * A stage in a process of its own, seen from its worker's thread: what the worker loop calls in place of the stage.
 *
 * The thread holds the worker's ends of the queues and does all that it does for a stage of its own; only the stage's
 * functions run in the process. An item is given back after its outputs came back and were published, so whatever
 * becomes of the process, the item is in its queue or published: the death of the process is the death of the worker.
 */
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Deferred } from '../../deferred.ts'
import type { StageDefinition } from '../../define/pipeline.ts'
import { type Split, splitOf } from '../../define/split-body.ts'
import type { StageContext } from '../../define/stage-body.ts'
import { errorFromWire, MillraceError, type WireError } from '../../errors.ts'
import { WorkerCounters } from '../../observe/counters.ts'
import type { ServiceTimes } from '../../observe/service-times.ts'
import type { PlannedProcess } from '../../plan/plan.ts'
import type { StopEvent, StopLevel } from '../../queue/stop-event.ts'
import type { BoundStage } from '../bind-stage.ts'
import { Program } from '../child/program.ts'
import type { Ear, Notice } from '../notice.ts'
import { ownFile } from '../own-files.ts'
import type { LocatedTask } from '../worker-task.ts'
import { Channel, type Message } from './channel.ts'
import {
  CANCEL,
  CLOSE,
  CLOSED,
  DONE,
  type Done,
  FLUSH,
  ITEM,
  MORE,
  OPENED,
  OUTPUT,
  type ProcessTask,
  READ,
  STOP,
  TASK,
} from './messages.ts'
import { NoticedInbox } from './noticed-inbox.ts'
import { processArguments } from './process-arguments.ts'
import { Reply } from './reply.ts'

/** How long a process that is done may take to be gone, and one that was told to end before it is killed. */
const KILL_MS = 1_000

export interface ProxySteps {
  definition: StageDefinition
  stop: StopEvent
  /**
   * The process is gone, and with it what the worker has in hand.
   * @param isAtOnce an answer is cut short: nothing can be finished before
   */
  crash: (error: unknown, isAtOnce: boolean) => void
}

export class ProcessProxy implements BoundStage {
  readonly #task: LocatedTask
  readonly #steps: ProxySteps
  readonly #ear: Ear | undefined
  readonly #inbox: NoticedInbox
  readonly #split: Split<unknown> | undefined
  readonly #serviceTimes: ServiceTimes
  readonly #replies = new Map<number, Reply>()
  readonly #opened = new Deferred<WireError | undefined>()
  readonly #closed = new Deferred<WireError | undefined>()
  readonly #forgetStop: (() => void)[] = []
  #program: Program | undefined
  #channel: Channel | undefined
  #lastId = 0
  #isClosing = false
  /** Every notice of the process was taken, and it can give no more. */
  #hasToldAll: Promise<void> = Promise.resolve()

  /** @param ear takes what the process has to tell its run; none: nobody wants to hear of it */
  constructor(task: LocatedTask, steps: ProxySteps, ear?: Ear) {
    this.#task = task
    this.#steps = steps
    this.#ear = ear
    this.#serviceTimes = new WorkerCounters(task.counters, task.index).serviceTimes
    this.#inbox = new NoticedInbox((message) => this.#take(message))
    this.#split = splitOf(steps.definition)
  }

  async open(_ctx: StageContext): Promise<void> {
    const { stage, place, locator } = this.#task
    const planned: PlannedProcess = stage.process ?? {}
    const program = await startProcess(planned, this.#ear === undefined ? 2 : 3)
    this.#program = program
    const [questions, answers, noticePipe] = program.extra
    const channel = new Channel(answers, questions, (message) => this.#inbox.add(message))
    this.#channel = channel
    this.#hasToldAll = noticePipe === undefined ? Promise.resolve() : this.#listen(noticePipe)
    void this.#watch(program, channel)
    const { concurrency, timeoutMs } = stage
    const task: ProcessTask = {
      locator,
      place,
      concurrency,
      timeoutMs,
      nice: planned.nice,
      levels: this.#ear?.levels,
      trace: this.#ear?.trace,
    }
    channel.send(TASK, 0, task)
    channel.flush()
    for (const level of ['drain', 'abort'] as const) this.#tellOf(level)
    const error = await this.#opened.promise
    if (error !== undefined) throw errorFromWire(error)
  }

  /** A field of its own: the loop of items calls it without its object. */
  readonly process = (input: unknown, ctx: StageContext): Promise<unknown> => {
    const split = this.#split
    if (split === undefined) return this.#ask(ITEM, [ctx.item, ctx.attempt, input]).result()
    const reply = this.#ask(ITEM, [ctx.item, ctx.attempt, split.ask(input)])
    return reply.result().then((given) => split.answer(input, given))
  }

  flush(_ctx: StageContext): Promise<unknown> {
    return this.#ask(FLUSH, undefined).result()
  }

  items(_ctx: StageContext): AsyncGenerator<unknown> {
    return this.#ask(READ, undefined).values()
  }

  async close(_ctx: StageContext): Promise<void> {
    this.#isClosing = true
    for (const forget of this.#forgetStop) forget()
    this.#channel?.send(CLOSE, 0, undefined)
    this.#channel?.flush()
    const error = await this.#closed.promise
    await this.#end()
    if (error !== undefined) throw errorFromWire(error)
  }

  /** Gives the process its time to be gone by itself. */
  async #end(): Promise<void> {
    const program = this.#program
    if (program === undefined) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, KILL_MS)
    })
    await Promise.race([Promise.all([program.ended, this.#hasToldAll]), late])
    clearTimeout(timer)
    await program.stop()
  }

  #ask(kind: number, value: unknown): Reply {
    const id = ++this.#lastId
    const reply = new Reply({
      more: (outputs) => this.#channel?.send(MORE, id, outputs),
      cancel: () => this.#channel?.send(CANCEL, id, undefined),
    })
    this.#replies.set(id, reply)
    this.#channel?.send(kind, id, value)
    return reply
  }

  #take({ kind, id, value }: Message): void {
    if (kind === OUTPUT) this.#replies.get(id)?.add(value)
    else if (kind === DONE) {
      const done = value as Done
      if (done.service !== undefined) this.#serviceTimes.add(...done.service)
      this.#replies.get(id)?.finish(done)
      this.#replies.delete(id)
    } else if (kind === OPENED) this.#opened.resolve(value as WireError | undefined)
    else if (kind === CLOSED) this.#closed.resolve(value as WireError | undefined)
  }

  #listen(pipe: Duplex): Promise<void> {
    const { closed } = new Channel(pipe, pipe, ({ value }) => {
      this.#ear?.tell(value as Notice)
      this.#inbox.noteNotice()
    })
    return closed
  }

  #tellOf(level: Exclude<StopLevel, 'run'>): void {
    const signal = this.#steps.stop.signalAt(level)
    const tell = (): void => {
      this.#channel?.send(STOP, 0, level)
      this.#channel?.flush()
    }
    signal.addEventListener('abort', tell, { once: true })
    this.#forgetStop.push(() => signal.removeEventListener('abort', tell))
    if (signal.aborted) tell()
  }

  /** Everything that it said has been heard before its end is. */
  async #watch(program: Program, channel: Channel): Promise<void> {
    await Promise.all([program.ended, channel.closed, this.#hasToldAll])
    if (this.#isClosing && (await isSettled(this.#closed.promise))) return
    await program.stop()
    const isCutShort = [...this.#replies.values()].some((reply) => reply.isTaken)
    this.#steps.crash(deathOf(program), isCutShort)
  }
}

function startProcess(planned: PlannedProcess, extraPipes: number): Promise<Program> {
  const entry = ownFile('process/process-entry')
  return Program.start({
    program: process.execPath,
    args: processArguments(planned, fileURLToPath(entry)),
    cwd: planned.cwd,
    env: planned.env,
    hasInput: false,
    extraPipes,
    killMs: KILL_MS,
    // Straight on, as a thread's are: host/thread/stdio.ts.
    onStdout: (chunk) => process.stdout.write(chunk),
    onStderr: (chunk) => process.stderr.write(chunk),
  })
}

function deathOf(program: Program): MillraceError {
  const how = `its process ${program.describeEnd()}`
  // What V8 says of it on stderr before it gives up; the rest are frames of its own.
  if (/heap out of memory/.test(program.stderr.text))
    return new MillraceError('MILLRACE_WORKER_OUT_OF_MEMORY', `${how}: JavaScript heap out of memory`)
  return new MillraceError('MILLRACE_WORKER_DIED', `${how}${program.stderr.quote()}`)
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const no = Symbol('no')
  return (await Promise.race([promise, Promise.resolve(no)])) !== no
}
