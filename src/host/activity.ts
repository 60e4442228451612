/**
 * What a worker does, for the watchdog: user code, or waiting for something that is not the user's.
 *
 * Of several promises each is timed by itself. As long as their thread turns, one of them begins or ends within
 * `timeoutMs`; each such event is a sign of life.
 */
import { HELD, WORKING, type WorkerCounters } from '../observe/counters.ts'

export class Activity {
  readonly #counters: WorkerCounters
  #calls = 0
  #delays = 0
  #waits = 0

  constructor(counters: WorkerCounters) {
    this.#counters = counters
  }

  /** One of several process functions begins. */
  beginCall(): void {
    this.#calls++
    this.#counters.beat()
    this.update()
  }

  /** Its result is there, or its error. */
  endCall(): void {
    this.#calls--
    this.#counters.beat()
    this.update()
  }

  /** An item waits before it is tried again, or for leave to begin. Others may go on. */
  beginDelay(): void {
    this.#delays++
    this.update()
  }

  endDelay(): void {
    this.#delays--
    this.update()
  }

  /** An output waits for room. */
  beginWait(): void {
    this.#waits++
    this.update()
  }

  endWait(): void {
    this.#waits--
    this.update()
  }

  /** After the counters were told of another item. */
  update(): void {
    const isWorking = this.#waits === 0 && (this.#calls > 0 || this.#delays === 0)
    this.#counters.phase = isWorking ? WORKING : HELD
  }
}
