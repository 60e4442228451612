/**
 * The ladder of a stop: drain -> abort -> terminate -> give up. Each rung has a deadline; none is skipped upwards and
 * none is climbed down. Triggers never block.
 */
import { setDeadline } from '../deadline.ts'

export interface Rungs {
  drainMs: number
  abortMs: number
  terminateMs: number
}

/** What each rung does. */
export interface Steps {
  /** The drain took too long. */
  abort: () => void
  /** Workers did not leave after the abort. */
  terminate: () => void
  /** Workers are gone from our reach: end without them. */
  giveUp: () => void
}

export class Ladder {
  readonly #rungs: Rungs
  readonly #steps: Steps
  #timer: NodeJS.Timeout | undefined

  constructor(rungs: Rungs, steps: Steps) {
    this.#rungs = rungs
    this.#steps = steps
  }

  /** From now on the drain has `drainMs`. */
  triggerDrain(): void {
    this.#arm(this.#rungs.drainMs, this.#steps.abort)
  }

  /** From now on workers have `abortMs` to leave, then `terminateMs` to be gone. */
  triggerAbort(): void {
    this.#arm(this.#rungs.abortMs, () => {
      this.#arm(this.#rungs.terminateMs, this.#steps.giveUp)
      this.#steps.terminate()
    })
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #arm(ms: number, fire: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setDeadline(fire, ms)
  }
}
