/**
 * What becomes of the result of a process function: through the fused operators and into the output queue.
 *
 * Everything is synchronous until something gives a promise or has to wait on the event loop: a chain of promises
 * per item would cost more than the items.
 */
import type { FusedOperator } from '../define/stage-body.ts'
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
  /** A process function returned SENTINEL. */
  end: () => void
  /** User code gave a promise: it needs the event loop. */
  becomeAsync: () => void
}

export class Emitter {
  readonly #operators: readonly FusedOperator[]
  readonly #steps: EmitterSteps
  readonly #put: Put

  constructor(operators: readonly FusedOperator[], steps: EmitterSteps) {
    this.#operators = operators
    this.#steps = steps
    this.#put = steps.put
  }

  /** Sends on whatever a process function returned. */
  emit(result: unknown): Awaitable<Outcome> {
    if (result === undefined) return DROPPED
    if (result === SENTINEL) {
      this.#steps.end()
      return DROPPED
    }
    if (typeof result === 'object' && result !== null) {
      if (isThenable(result)) return this.#emitLater(result)
      if (isGenerator(result)) return this.#emitAll(result)
    }
    return this.#operators.length === 0 ? this.#put(result) : this.#through(result, 0)
  }

  async #emitLater(result: PromiseLike<unknown>): Promise<Outcome> {
    this.#steps.becomeAsync()
    return this.emit(await result)
  }

  /** Sends on each value; the stream's own end, or a refused put, ends the generator too. */
  #emitAll(values: Iterable<unknown> | AsyncIterable<unknown>): Awaitable<Outcome> {
    return Symbol.asyncIterator in values ? this.#emitAsync(values) : this.#emitSync(values)
  }

  #emitSync(values: Iterable<unknown>): Awaitable<Outcome> {
    const iterator = values[Symbol.iterator]()
    let total: Outcome = DROPPED
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      const outcome = this.emit(step.value)
      if (typeof outcome !== 'number') return this.#emitRest(outcome, total, iterator)
      total = sum(total, outcome)
      if (outcome === ABANDONED || step.value === SENTINEL) return finish(iterator, total)
    }
    return total
  }

  /** Goes on asynchronously where `#emitSync` met a promise. */
  async #emitRest(first: Promise<Outcome>, before: Outcome, iterator: Iterator<unknown>): Promise<Outcome> {
    let outcome = await first
    let total = sum(before, outcome)
    while (outcome !== ABANDONED) {
      const step = iterator.next()
      if (step.done) return total
      outcome = await this.emit(step.value)
      total = sum(total, outcome)
      if (step.value === SENTINEL) break
    }
    return finish(iterator, total)
  }

  async #emitAsync(values: AsyncIterable<unknown>): Promise<Outcome> {
    this.#steps.becomeAsync()
    let total: Outcome = DROPPED
    for await (const value of values) {
      const outcome = await this.emit(value)
      total = sum(total, outcome)
      if (outcome === ABANDONED || value === SENTINEL) break
    }
    return total
  }

  #through(value: unknown, at: number): Awaitable<Outcome> {
    let current = value
    for (let index = at; index < this.#operators.length; index++) {
      const operator = this.#operators[index]
      const result = operator.apply(current)
      if (isThenable(result)) return this.#afterAwait(operator, current, result, index)
      if (operator.kind === 'flatMap') return this.#spread(result as Iterable<unknown>, index + 1)
      const next = advance(operator, current, result)
      if (next === undefined) return DROPPED
      current = next
    }
    return this.#put(current)
  }

  async #afterAwait(operator: FusedOperator, current: unknown, result: PromiseLike<unknown>, at: number) {
    this.#steps.becomeAsync()
    const value = await result
    if (operator.kind === 'flatMap') return this.#spread(value as Iterable<unknown>, at + 1)
    const next = advance(operator, current, value)
    return next === undefined ? DROPPED : this.#through(next, at + 1)
  }

  #spread(values: Iterable<unknown> | AsyncIterable<unknown>, at: number): Awaitable<Outcome> {
    const rest = new Emitter(this.#operators.slice(at), this.#steps)
    return rest.#emitAll(values)
  }
}

/** What an operator makes of an item; `undefined` if it drops it. */
function advance(operator: FusedOperator, current: unknown, result: unknown): unknown {
  if (operator.kind === 'map') return result
  if (operator.kind === 'tap') return current
  return result ? current : undefined
}

/** One outcome for an item with several outputs: abandoned if one was, dropped if there was none. */
function sum(total: Outcome, outcome: Outcome): Outcome {
  if (total === ABANDONED || outcome === ABANDONED) return ABANDONED
  return total === OUT || outcome === OUT ? OUT : DROPPED
}

function finish(iterator: Iterator<unknown>, total: Outcome): Outcome {
  iterator.return?.()
  return total
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  )
}

function isGenerator(value: object): value is Generator | AsyncGenerator {
  return (
    typeof (value as Generator).next === 'function' &&
    (Symbol.iterator in value || Symbol.asyncIterator in value)
  )
}
