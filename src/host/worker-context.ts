/** The context object that process functions get. */
import { setMaxListeners } from 'node:events'
import { CRASH, type CrashingContext } from '../define/crash.ts'
import type { Logger, StageContext } from '../define/stage-body.ts'
import type { ItemOrigin } from '../observe/failure.ts'
import type { StopEvent } from '../queue/stop-event.ts'

export interface ContextPlace {
  pipeline: string
  stage: string
  worker: number
}

export class WorkerContext implements StageContext, CrashingContext {
  readonly pipeline: string
  readonly stage: string
  readonly worker: number
  readonly log: Logger
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
  #signal: AbortSignal | undefined
  /** Ends the item in hand alone; made when an item asks for its signal. */
  #itemController: AbortController | undefined
  readonly #isTimed: boolean

  /** @param isTimed items have a deadline of their own, and so a signal of their own */
  constructor(place: ContextPlace, stop: StopEvent, level: 'drain' | 'abort', log: Logger, isTimed = false) {
    this.pipeline = place.pipeline
    this.stage = place.stage
    this.worker = place.worker
    this.log = log
    this.#stop = stop
    this.#level = level
    this.#isTimed = isTimed
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal()
    return this.#signal
  }

  alloc(bytes: number): Uint8Array {
    return new Uint8Array(bytes)
  }

  /** From now on it speaks of this item. */
  beginItem(item: number, attempt: number, source = 0): void {
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
      this.log,
      this.#isTimed,
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
