/**
 * A stage in a process of its own, seen from inside: answers the questions of the worker's thread, one after the other
 * as they come, as many at a time as the stage's `concurrency`. What must last - order, retries, queues - is the thread's.
 */
import type { StageDefinition } from '../../define/pipeline.ts'
import { splitOf } from '../../define/split-body.ts'
import { bug, errorToWire, MillraceError } from '../../errors.ts'
import { allocateCounters, OUT, type Outcome, WorkerCounters } from '../../observe/counters.ts'
import { StopEvent, type StopLevel } from '../../queue/stop-event.ts'
import { isTracked } from '../../tracked.ts'
import { type BoundStage, bindStage } from '../bind-stage.ts'
import { Emitter, isThenable } from '../emitter.ts'
import { ItemTracer } from '../item-tracer.ts'
import { logToRun, logToStderr } from '../log.ts'
import { encodeNotice, type Notice } from '../notice.ts'
import { readItems } from '../read-items.ts'
import { ServiceClock, type Watched } from '../service-clock.ts'
import { withTimeLimit } from '../time-limit.ts'
import { Waiting } from '../waiting.ts'
import { WorkerContext } from '../worker-context.ts'
import { writeAllSync } from '../write-sync.ts'
import { Answer } from './answer.ts'
import { type Channel, frameOf } from './channel.ts'
import { CLOSED, DONE, type Done, NOTICE, NOTICES_FD, OPENED, type ProcessTask, TOLD } from './messages.ts'

interface Question {
  id: number
  item: number
  attempt: number
  value: unknown
}

/** After so long the event loop gets a turn, so that the thread's word gets through. */
const BUSY_MS = 1

export class ChildStage {
  readonly #task: ProcessTask
  readonly #channel: Channel
  readonly #definition: StageDefinition
  readonly #bound: BoundStage
  readonly #context: WorkerContext
  readonly #stop = new StopEvent({ doorbells: 1 })
  readonly #waiting = new Waiting(undefined)
  readonly #service: ServiceClock
  readonly #questions: Question[] = []
  readonly #answers = new Map<number, Answer>()
  #running = 0
  #hasEnded = false
  #isPumping = false
  #turned = performance.now()

  constructor(task: ProcessTask, definitions: readonly StageDefinition[], channel: Channel) {
    const definition = definitions.find(({ name }) => name === task.place.stage)
    if (definition === undefined) {
      const message = `pipeline "${task.place.pipeline}" has no stage "${task.place.stage}" when it is built in a process`
      throw new MillraceError('MILLRACE_STAGE_NOT_FOUND', message, { stage: task.place.stage })
    }
    this.#task = task
    this.#channel = channel
    this.#definition = definition
    this.#bound = bindStage(definition, splitOf(definition))
    const level = definition.kind === 'source' ? 'drain' : 'abort'
    const { levels, trace } = task
    const counters = new WorkerCounters(allocateCounters(1), 0)
    const makeLog = levels === undefined ? logToStderr(counters) : logToRun(this.#tellRun, levels)
    this.#service = new ServiceClock(counters, trace && new ItemTracer(this.#tellRun, trace))
    this.#context = new WorkerContext(
      task.place,
      this.#stop,
      level,
      makeLog,
      task.timeoutMs !== undefined,
      undefined,
      trace,
    )
  }

  /** Written before anything else happens: what becomes of this process then cannot take it back. */
  readonly #tellRun = (notice: Notice): void => {
    writeAllSync(NOTICES_FD, frameOf(NOTICE, 0, encodeNotice(notice)))
    this.#channel.send(TOLD, 0, undefined)
  }

  async open(): Promise<void> {
    await this.#tell(OPENED, () => this.#bound.open(this.#context))
  }

  async close(): Promise<void> {
    await this.#tell(CLOSED, () => this.#bound.close(this.#context))
  }

  setStop(level: StopLevel): void {
    if (level === 'run') return
    this.#stop.set(level)
    if (level !== 'abort') return
    for (const { id } of this.#questions.splice(0)) this.#done(id, { isStopped: true })
    for (const answer of this.#answers.values()) answer.cancel()
  }

  more(id: number, outputs: number): void {
    this.#answers.get(id)?.more(outputs)
  }

  cancel(id: number): void {
    this.#answers.get(id)?.cancel()
  }

  ask(question: Question): void {
    this.#questions.push(question)
    if (!this.#isPumping) this.#pump()
  }

  flush(id: number): void {
    this.#context.beginItem(0, 1)
    void this.#answer(id, () => this.#bound.flush(this.#context))
  }

  /** The values of a source. Its operators are applied by the thread, which counts what was read. */
  async read(id: number): Promise<void> {
    const answer = this.#begin(id)
    try {
      await readItems(await this.#bound.items(this.#context), {
        place: (value) => {
          if (isTracked(value)) throw untrackable(this.#task.place.stage)
          const put = answer.put(value)
          return isThenable(put) ? Promise.resolve(put).then(() => {}) : undefined
        },
        abandon: () => {},
        rest: () => this.#channel.flush(),
        isOver: () => this.#stop.isDraining || answer.isCancelled,
        drained: () => this.#stop.signalAt('drain'),
        waiting: this.#waiting,
      })
      this.#finish(answer, {})
    } catch (error) {
      this.#finish(answer, { error: errorToWire(error) })
    }
  }

  async #tell(kind: number, action: () => unknown): Promise<void> {
    let error: unknown
    try {
      await action()
    } catch (thrown) {
      error = errorToWire(thrown)
    }
    this.#channel.send(kind, 0, error)
    this.#channel.flush()
  }

  /** Begins as many questions as may be under way. */
  #pump(): void {
    this.#isPumping = true
    while (this.#running < this.#task.concurrency) {
      const question = this.#questions.shift()
      if (question === undefined) break
      // Whatever becomes of this one, the answers before it are there.
      this.#channel.flush()
      this.#begun(question)
      if (performance.now() - this.#turned < BUSY_MS) continue
      setImmediate(() => {
        this.#turned = performance.now()
        this.#pump()
      })
      return
    }
    this.#isPumping = false
  }

  #begun({ id, item, attempt, value }: Question): void {
    if (this.#hasEnded || this.#stop.isSet) {
      this.#done(id, { isStopped: true })
      return
    }
    const isAlone = this.#task.concurrency === 1
    const context = isAlone ? this.#context : this.#context.forItem(item, attempt, 0)
    if (isAlone) context.beginItem(item, attempt)
    const watched = this.#service.begin(context)
    const answering = this.#answer(
      id,
      () => this.#timed(this.#bound.process(value, context), context),
      watched,
    )
    if (answering === undefined) return
    this.#running++
    void answering.then(() => {
      this.#running--
      if (!this.#isPumping) this.#pump()
    })
  }

  #timed(result: unknown, context: WorkerContext): unknown {
    const { timeoutMs } = this.#task
    if (timeoutMs === undefined || !isThenable(result)) return result
    return withTimeLimit(result, timeoutMs, (late) => {
      context.abortItem(late)
      return true
    })
  }

  /** A promise if it takes waiting. Never rejects. */
  #answer(id: number, work: () => unknown, watched?: Watched): undefined | Promise<void> {
    const answer = this.#begin(id)
    let hasEnded = false
    const isSink = this.#definition.kind === 'sink'
    const emitter = new Emitter(isSink ? [] : this.#definition.operators, {
      put: isSink ? accept : (value) => answer.put(value),
      end: () => {
        hasEnded = true
        this.#hasEnded = true
      },
      becomeAsync: () => {},
    })
    const service = (error?: { thrown: unknown }): Done => {
      const took = watched && this.#service.end(watched, error)
      return took === undefined ? {} : { service: took }
    }
    const end = (): Done => ({ ...(hasEnded ? { hasEnded: true } : {}), ...service() })
    const fail = (error: unknown): Done => ({ error: errorToWire(error), ...service({ thrown: error }) })
    try {
      const outcome = emitter.emit(work())
      if (typeof outcome === 'number') {
        this.#finish(answer, end())
        return undefined
      }
      return outcome.then(
        () => this.#finish(answer, end()),
        (error) => this.#finish(answer, fail(error)),
      )
    } catch (error) {
      this.#finish(answer, fail(error))
      return undefined
    }
  }

  #begin(id: number): Answer {
    const answer = new Answer(id, this.#channel)
    this.#answers.set(id, answer)
    return answer
  }

  #finish(answer: Answer, done: Done): void {
    this.#answers.delete(answer.id)
    this.#done(answer.id, done)
  }

  #done(id: number, done: Done): void {
    this.#channel.send(DONE, id, done)
  }
}

function accept(value: unknown): Outcome {
  if (typeof value === 'symbol') throw bug('a symbol reached a sink in a process')
  return OUT
}

function untrackable(stage: string): MillraceError {
  return new MillraceError(
    'MILLRACE_INVALID_STAGE',
    `source "${stage}" gives what it tracks, and whoever is told of its fate must be in our process: leave out on: "process"`,
    { stage },
  )
}
