/**
 * Promises whose jobs run when the explorer says so: `async` functions of the shipped code, lowered by esbuild to generators,
 * stand on these. So a thread that waits on its event loop can be run to its next operation like any other.
 *
 * Differs from the language's only in that STOP, which ends the attempt to run a thread further, is never caught.
 */

/** Thrown by an operation whose result is not known yet. */
export const STOP = { toString: () => 'the explorer has seen enough' }

const jobs: (() => void)[] = []

/** Runs all jobs, and those they make. */
export function runJobs(): void {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) job()
}

export function forgetJobs(): void {
  jobs.length = 0
}

export function jobsLeft(): number {
  return jobs.length
}

type Settle = (value: unknown) => void

export class SmallPromise {
  #state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  #value: unknown
  #reactions: (() => void)[] = []

  constructor(executor: (resolve: Settle, reject: Settle) => void) {
    let isDecided = false
    const once =
      (settle: Settle): Settle =>
      (value) => {
        if (isDecided) return
        isDecided = true
        settle(value)
      }
    const resolve = once((value) => this.#resolve(value))
    const reject = once((reason) => this.#settle('rejected', reason))
    guard(
      () => executor(resolve, reject),
      (error) => reject(error),
    )
  }

  static resolve(value?: unknown): SmallPromise {
    return value instanceof SmallPromise ? value : new SmallPromise((resolve) => resolve(value))
  }

  static reject(reason: unknown): SmallPromise {
    return new SmallPromise((_, reject) => reject(reason))
  }

  static all(values: Iterable<unknown>): SmallPromise {
    return new SmallPromise((resolve, reject) => {
      const results: unknown[] = []
      let left = 0
      for (const value of values) {
        const at = left++
        SmallPromise.resolve(value).then((result) => {
          results[at] = result
          if (--left === 0) resolve(results)
        }, reject)
      }
      if (left === 0) resolve(results)
    })
  }

  static race(values: Iterable<unknown>): SmallPromise {
    return new SmallPromise((resolve, reject) => {
      for (const value of values) SmallPromise.resolve(value).then(resolve, reject)
    })
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  then(onFulfilled?: (value: unknown) => unknown, onRejected?: (reason: unknown) => unknown): SmallPromise {
    return new SmallPromise((resolve, reject) => {
      const react = () => {
        const handler = this.#state === 'fulfilled' ? onFulfilled : onRejected
        guard(
          () => {
            if (typeof handler === 'function') resolve(handler(this.#value))
            else if (this.#state === 'fulfilled') resolve(this.#value)
            else reject(this.#value)
          },
          (error) => reject(error),
        )
      }
      if (this.#state === 'pending') this.#reactions.push(react)
      else jobs.push(react)
    })
  }

  catch(onRejected: (reason: unknown) => unknown): SmallPromise {
    return this.then(undefined, onRejected)
  }

  finally(action: () => unknown): SmallPromise {
    return this.then(
      (value) => SmallPromise.resolve(action()).then(() => value),
      (reason) =>
        SmallPromise.resolve(action()).then(() => {
          throw reason
        }),
    )
  }

  #resolve(value: unknown): void {
    const then = guardedThen(value)
    if (then === undefined) this.#settle('fulfilled', value)
    else {
      jobs.push(() => {
        let isDecided = false
        const once =
          (settle: Settle): Settle =>
          (result) => {
            if (isDecided) return
            isDecided = true
            settle(result)
          }
        then.call(
          value,
          once((result) => this.#resolve(result)),
          once((reason) => this.#settle('rejected', reason)),
        )
      })
    }
  }

  #settle(state: 'fulfilled' | 'rejected', value: unknown): void {
    if (value === STOP) throw STOP
    this.#state = state
    this.#value = value
    for (const reaction of this.#reactions) jobs.push(reaction)
    this.#reactions = []
  }
}

function guardedThen(value: unknown): ((resolve: Settle, reject: Settle) => void) | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { then } = value as { then?: unknown }
  return typeof then === 'function' ? (then as (resolve: Settle, reject: Settle) => void) : undefined
}

function guard(action: () => void, onError: (error: unknown) => void): void {
  try {
    action()
  } catch (error) {
    if (error === STOP) throw error
    onError(error)
  }
}
