/** The context object that process functions get. */
import type { Logger, StageContext } from '../define/stage-body.ts'
import type { StopEvent } from '../queue/stop-event.ts'

export interface ContextPlace {
  pipeline: string
  stage: string
  worker: number
}

export class WorkerContext implements StageContext {
  readonly pipeline: string
  readonly stage: string
  readonly worker: number
  readonly log: Logger
  /** Plain field: it is written for every item. */
  item = 0
  attempt = 1
  readonly #stop: StopEvent
  readonly #level: 'drain' | 'abort'
  #signal: AbortSignal | undefined

  constructor(place: ContextPlace, stop: StopEvent, level: 'drain' | 'abort', log: Logger) {
    this.pipeline = place.pipeline
    this.stage = place.stage
    this.worker = place.worker
    this.log = log
    this.#stop = stop
    this.#level = level
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal()
    return this.#signal
  }

  alloc(bytes: number): Uint8Array {
    return new Uint8Array(bytes)
  }

  /** The event needs the event loop; `aborted` is read from the shared word, so that a busy loop sees it. */
  #makeSignal(): AbortSignal {
    const signal = this.#stop.signalAt(this.#level)
    const isSet = () => (this.#level === 'drain' ? this.#stop.isDraining : this.#stop.isSet)
    return Object.defineProperty(signal, 'aborted', { get: isSet, configurable: true })
  }
}
