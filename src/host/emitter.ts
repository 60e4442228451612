/**
 * What becomes of the result of a process function: through the fused operators and into the output queue.
 *
 * Everything is synchronous until something gives a promise or has to wait on the event loop: a chain of promises
 * per item would cost more than the items.
 */
import type { FusedOperator } from '../define/stage-body.ts'
import { MillraceError, show } from '../errors.ts'
import { ABANDONED, DROPPED, OUT, type Outcome } from '../observe/counters.ts'
import { SENTINEL } from '../sentinel.ts'

export type Awaitable<T> = T | Promise<T>

/** Takes one output; what became of it. */
export type Put = (value: unknown) => Awaitable<Outcome>

/** Returned by the stage that hands outputs to `for await` when nobody takes them any more. */
export const NOT_TAKEN = Symbol('millrace.NOT_TAKEN')

export interface EmitterSteps {
  /** Takes each output that came through the operators. */
  put: Put
  /** A process function or an operator gave SENTINEL. */
  end: () => void
  /** User code gave a promise: it needs the event loop. */
  becomeAsync: () => void
}

export class Emitter {
  readonly #operators: readonly FusedOperator[]
  readonly #steps: EmitterSteps
  readonly #put: Put
  /** User code gave SENTINEL: whatever still yields is ended. */
  #hasEnded = false

  constructor(operators: readonly FusedOperator[], steps: EmitterSteps) {
    this.#operators = operators
    this.#steps = steps
    this.#put = steps.put
  }

  /** Sends on whatever a process function returned. */
  emit(result: unknown): Awaitable<Outcome> {
    return this.#emitAt(result, 0)
  }

  /** Sends on what a process function or a flatMap gave, from the operator with this number on. */
  #emitAt(result: unknown, at: number): Awaitable<Outcome> {
    if (result === undefined) return DROPPED
    if (result === SENTINEL) return this.#end()
    if (typeof result === 'object' && result !== null) {
      if (isThenable(result)) return this.#emitLater(result, at)
      if (isGenerator(result)) return this.#emitAll(result, at)
    }
    return at === this.#operators.length ? this.#put(result) : this.#through(result, at)
  }

  async #emitLater(result: PromiseLike<unknown>, at: number): Promise<Outcome> {
    this.#steps.becomeAsync()
    return this.#emitAt(await result, at)
  }

  #end(): Outcome {
    this.#hasEnded = true
    this.#steps.end()
    return DROPPED
  }

  /** Sends on each value; the stream's own end, a refused put or an error ends the generator too. */
  #emitAll(values: Iterable<unknown> | AsyncIterable<unknown>, at: number): Awaitable<Outcome> {
    return isAsyncIterable(values) ? this.#emitAsync(values, at) : this.#emitSync(values, at)
  }

  #emitSync(values: Iterable<unknown>, at: number): Awaitable<Outcome> {
    const iterator = values[Symbol.iterator]()
    let total: Outcome = DROPPED
    for (let step = iterator.next(); ; step = iterator.next()) {
      if (step.done) return this.#returned(step.value, total)
      const outcome = this.#emitOf(iterator, step.value, at)
      if (typeof outcome !== 'number') return this.#emitRest(outcome, total, iterator, at)
      total = sum(total, outcome)
      if (outcome === ABANDONED || this.#hasEnded) {
        iterator.return?.()
        return total
      }
    }
  }

  /** Goes on asynchronously where `#emitSync` met a promise. */
  async #emitRest(
    first: Promise<Outcome>,
    before: Outcome,
    iterator: Iterator<unknown>,
    at: number,
  ): Promise<Outcome> {
    let total = before
    let emitting: Awaitable<Outcome> = first
    for (;;) {
      let outcome: Outcome
      try {
        outcome = await emitting
      } catch (error) {
        void closeAfterError(iterator)
        throw error
      }
      total = sum(total, outcome)
      if (outcome === ABANDONED || this.#hasEnded) break
      const step = iterator.next()
      if (step.done) return this.#returned(step.value, total)
      emitting = this.#emitOf(iterator, step.value, at)
    }
    iterator.return?.()
    return total
  }

  async #emitAsync(values: AsyncIterable<unknown>, at: number): Promise<Outcome> {
    this.#steps.becomeAsync()
    const iterator = values[Symbol.asyncIterator]()
    let total: Outcome = DROPPED
    for (;;) {
      const step = await iterator.next()
      if (step.done) return this.#returned(step.value, total)
      let outcome: Outcome
      try {
        outcome = await this.#emitAt(step.value, at)
      } catch (error) {
        await closeAfterError(iterator)
        throw error
      }
      total = sum(total, outcome)
      if (outcome === ABANDONED || this.#hasEnded) break
    }
    await iterator.return?.()
    return total
  }

  #emitOf(iterator: Iterator<unknown>, value: unknown, at: number): Awaitable<Outcome> {
    try {
      return this.#emitAt(value, at)
    } catch (error) {
      void closeAfterError(iterator)
      throw error
    }
  }

  /** A generator came to its end; what it returns is no output, but may be SENTINEL. */
  #returned(value: unknown, total: Outcome): Outcome {
    if (value === SENTINEL) this.#end()
    return total
  }

  #through(value: unknown, at: number): Awaitable<Outcome> {
    let current = value
    for (let index = at; index < this.#operators.length; index++) {
      const operator = this.#operators[index]
      // As in call-apart.ts.
      const result = Reflect.apply(operator.apply, undefined, [current])
      if (isThenable(result)) return this.#afterAwait(operator, current, result, index)
      if (operator.kind === 'flatMap') return this.#spread(result, index + 1)
      const next = advance(operator, current, result)
      if (next === undefined) return DROPPED
      if (next === SENTINEL) return this.#end()
      current = next
    }
    return this.#put(current)
  }

  async #afterAwait(operator: FusedOperator, current: unknown, result: PromiseLike<unknown>, at: number) {
    this.#steps.becomeAsync()
    const value = await result
    if (operator.kind === 'flatMap') return this.#spread(value, at + 1)
    const next = advance(operator, current, value)
    if (next === undefined) return DROPPED
    return next === SENTINEL ? this.#end() : this.#through(next, at + 1)
  }

  #spread(values: unknown, at: number): Awaitable<Outcome> {
    if (values === SENTINEL) return this.#end()
    if (isIterable(values) || isAsyncIterable(values)) return this.#emitAll(values, at)
    throw new MillraceError('MILLRACE_INVALID_STAGE', `flatMap must give an iterable, got ${show(values)}`)
  }
}

/** What an operator makes of an item; `undefined` if it drops it, SENTINEL if it ends the stream. */
function advance(operator: FusedOperator, current: unknown, result: unknown): unknown {
  if (operator.kind === 'map') return result
  if (operator.kind === 'tap') return current
  if (result === SENTINEL) return SENTINEL
  return result ? current : undefined
}

/** One outcome for an item with several outputs: abandoned if one was, dropped if there was none. */
function sum(total: Outcome, outcome: Outcome): Outcome {
  if (total === ABANDONED || outcome === ABANDONED) return ABANDONED
  return total === OUT || outcome === OUT ? OUT : DROPPED
}

/** Lets a generator run its `finally`; the error that ended it is the one to tell of. Never throws or rejects. */
function closeAfterError(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> | undefined {
  try {
    const returning: unknown = iterator.return?.()
    return isThenable(returning) ? Promise.resolve(returning).then(ignore, ignore) : undefined
  } catch {
    return undefined
  }
}

function ignore(): void {}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  )
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return value !== undefined && value !== null && typeof Object(value)[Symbol.iterator] === 'function'
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function isGenerator(value: object): value is Generator | AsyncGenerator {
  return (
    typeof (value as Generator).next === 'function' &&
    (Symbol.iterator in value || Symbol.asyncIterator in value)
  )
}
