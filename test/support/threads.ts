/** Threads for tests: one from a file of `workers/`, or an `Actor`, which does with a queue what it is told. */
import { Worker } from 'node:worker_threads'
import { EMPTY, type MillraceError, SENTINEL } from '../../src/index.ts'
import type { QueueHandle } from '../../src/queue/queue-memory.ts'
import type { StopHandle } from '../../src/queue/stop-event.ts'
import type { Answer, Call, Calls } from './workers/actor.ts'

/** Starts `workers/<name>.ts`. It inherits the loader of TypeScript. The test must see it end. */
export function startWorker(name: string, workerData: unknown): Worker {
  return new Worker(new URL(`./workers/${name}.ts`, import.meta.url), { workerData })
}

/** The exit code, once the thread is gone. An error that it did not catch is not thrown here. */
export function exited(worker: Worker): Promise<number> {
  worker.on('error', () => {})
  return new Promise((resolve) => worker.once('exit', resolve))
}

/** What an error of another thread tells. */
export interface ToldError {
  code: MillraceError['code'] | undefined
  message: string
}

/**
 * A thread that holds one queue and calls its methods on demand: a blocked call is a pending promise here.
 * It ends with the test that `end`s it.
 */
export class Actor {
  readonly worker: Worker
  readonly gone: Promise<number>
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>()
  #calls = 0

  constructor(workerData: { queue?: QueueHandle; stop?: StopHandle; gates?: SharedArrayBuffer } = {}) {
    this.worker = startWorker('actor', workerData)
    this.gone = exited(this.worker)
    this.worker.on('message', (answer: Answer) => this.#settle(answer))
    void this.gone.then(() => this.#abandon())
  }

  /** Rejects with the error's `code` and `message`; with code 'GONE' if the thread ends before it answers. */
  call<K extends keyof Calls>(
    name: K,
    ...args: Parameters<Calls[K]>
  ): Promise<Awaited<ReturnType<Calls[K]>>> {
    const id = ++this.#calls
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.worker.postMessage({ id, name, args: args.map(toWire) } satisfies Call)
    })
  }

  /** Ends it from outside, whatever it does. */
  async kill(): Promise<void> {
    await this.worker.terminate()
    await this.gone
  }

  /** Lets it come to its natural end. */
  async end(): Promise<void> {
    this.worker.postMessage({ id: 0, name: 'end', args: [] } satisfies Call)
    await this.gone
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if ('error' in answer) pending?.reject(Object.assign(new Error(answer.error.message), answer.error))
    else pending?.resolve(fromWire(answer.value) as never)
  }

  #abandon(): void {
    for (const { reject } of this.#pending.values()) {
      reject(Object.assign(new Error('the thread ended before it answered'), { code: 'GONE' }))
    }
    this.#pending.clear()
  }
}

/** Symbols cannot be posted. */
const WIRE = new Map<unknown, string>([
  [SENTINEL, '<SENTINEL>'],
  [EMPTY, '<EMPTY>'],
])

export function toWire(value: unknown): unknown {
  return WIRE.get(value) ?? value
}

export function fromWire(value: unknown): unknown {
  for (const [symbol, text] of WIRE) if (value === text) return symbol
  return value
}
