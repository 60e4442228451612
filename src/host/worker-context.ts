/** The context object that process functions get. */
import { setMaxListeners } from 'node:events'
import { CRASH, type CrashingContext } from '../define/crash.ts'
import type { Logger, StageContext } from '../define/stage-body.ts'
import { invalidOption } from '../errors.ts'
import type { ItemOrigin } from '../observe/failure.ts'
import type { Slabs } from '../queue/slabs.ts'
import type { StopEvent } from '../queue/stop-event.ts'
import { isTraced } from './item-tracer.ts'
import type { MakeLog } from './log.ts'
import type { TraceTask } from './notice.ts'

export interface ContextPlace {
  pipeline: string
  stage: string
  worker: number
}

export class WorkerContext implements StageContext, CrashingContext {
  readonly pipeline: string
  readonly stage: string
  readonly worker: number
  /** Set where the host has another life for the worker. */
  declare [CRASH]?: (error: unknown) => void
  /** Plain field: it is written for every item. */
  item = 0
  attempt = 1
  /** Which source the item came from, of several. */
  source = 0
  /** Of several: where they came from. */
  members: readonly ItemOrigin[] | undefined
  position: unknown = undefined
  readonly #stop: StopEvent
  readonly #level: 'drain' | 'abort'
  readonly #makeLog: MakeLog
  #log: Logger | undefined
  #signal: AbortSignal | undefined
  /** Ends the item in hand alone; made when an item asks for its signal. */
  #itemController: AbortController | undefined
  readonly #isTimed: boolean
  readonly #slabs: Slabs | undefined
  readonly #trace: TraceTask | undefined
  /** In whose name slabs are taken in hand; none are given up before an item begins. */
  #holder: object = {}
  #keepsSlabs = false

  /** @param isTimed items have a deadline of their own, and so a signal of their own */
  constructor(
    place: ContextPlace,
    stop: StopEvent,
    level: 'drain' | 'abort',
    makeLog: MakeLog,
    isTimed = false,
    slabs?: Slabs | undefined,
    trace?: TraceTask | undefined,
  ) {
    this.pipeline = place.pipeline
    this.stage = place.stage
    this.worker = place.worker
    this.#stop = stop
    this.#level = level
    this.#makeLog = makeLog
    this.#isTimed = isTimed
    this.#slabs = slabs
    this.#trace = trace
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal()
    return this.#signal
  }

  get log(): Logger {
    this.#log ??= this.#makeLog(this)
    return this.#log
  }

  /** What is done for an item that is not traced is not to be recorded either. */
  get traceparent(): string | undefined {
    if (this.#trace === undefined) return undefined
    const { traceparent, sampleEvery } = this.#trace
    const isNone =
      this.members === undefined
        ? this.item > 0 && !isTraced(this.item, sampleEvery)
        : !this.members.some(({ item }) => isTraced(item, sampleEvery))
    return isNone ? traceparent.replace(/..$/, '00') : traceparent
  }

  /** @throws MILLRACE_INVALID_OPTION */
  alloc(bytes: number): Uint8Array {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw invalidOption('ctx.alloc()', 'bytes', 'an integer, 0 or more', bytes, this.stage)
    }
    return this.#slabs?.alloc(bytes, this.#holder) ?? new Uint8Array(bytes)
  }

  /** What is taken from now on is kept until it is passed on: it is not asked for on behalf of one item. */
  keepAllSlabs(): void {
    this.#keepsSlabs = true
  }

  /** Gives up the slabs that were taken for the item and not passed on. */
  letGoSlabs(): void {
    if (this.#slabs !== undefined && this.#slabs.held > 0 && !this.#keepsSlabs)
      this.#slabs.letGo(this.#holder)
  }

  /** What was allocated so far, when the stage was opened, is kept for the worker's life. */
  keepSlabs(): void {
    this.#holder = {}
  }

  /** From now on it speaks of this item. */
  beginItem(item: number, attempt: number, source = 0): void {
    this.letGoSlabs()
    this.item = item
    this.attempt = attempt
    this.source = source
    if (!this.#isTimed || this.#itemController === undefined) return
    this.#itemController = undefined
    this.#signal = undefined
  }

  /** A context for one of several items that are in hand at the same time. */
  forItem(item: number, attempt: number, source: number, members?: readonly ItemOrigin[]): WorkerContext {
    const { pipeline, stage, worker } = this
    const context = new WorkerContext(
      { pipeline, stage, worker },
      this.#stop,
      this.#level,
      this.#makeLog,
      this.#isTimed,
      this.#slabs,
      this.#trace,
    )
    if (this[CRASH] !== undefined) context[CRASH] = this[CRASH]
    context.item = item
    context.attempt = attempt
    context.source = source
    context.members = members
    return context
  }

  /** The item in hand took too long. */
  abortItem(reason: unknown): void {
    // Its function may go on, and write where it should not any more: what it had is not used again.
    this.keepSlabs()
    this.#itemController?.abort(reason)
  }

  /** The event needs the event loop; `aborted` is read from the shared word, so that a busy loop sees it. */
  #makeSignal(): AbortSignal {
    const run = this.#stop.signalAt(this.#level)
    const isSet = () => (this.#level === 'drain' ? this.#stop.isDraining : this.#stop.isSet)
    if (!this.#isTimed) return Object.defineProperty(run, 'aborted', { get: isSet, configurable: true })
    const controller = new AbortController()
    this.#itemController = controller
    const signal = AbortSignal.any([run, controller.signal])
    setMaxListeners(0, signal)
    const isAborted = () => isSet() || controller.signal.aborted
    return Object.defineProperty(signal, 'aborted', { get: isAborted, configurable: true })
  }
}
