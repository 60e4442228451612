/** Faults that a simulation puts in place of what a process function would do. */
import { invalidOption } from '../errors.ts'

/** What goes wrong with an item at a stage. */
export type Fault = FaultPlace &
  (
    | {
        /** Throws in place of the process function. */
        do: 'throw'
        /** What is thrown. Default: an Error that says so. */
        error?: unknown
      }
    | {
        /**
         * 'hang': gives a promise that never settles. 'crash': its worker dies with the item in hand, as a thread that
         * ends does. 'drop': gives nothing.
         */
        do: 'hang' | 'crash' | 'drop'
      }
    | {
        /** Does what it would do, so many milliseconds later. */
        do: 'slow'
        ms: number
      }
  )

export interface FaultPlace {
  /** Name of the stage or sink. */
  stage: string
  /** Number of the item at its source, from 1; of a batch, the least number in it. */
  item: number
  /** At how many tries of the item it happens. Default 1: the first. Infinity: each. */
  times?: number
}

const KINDS = ['throw', 'hang', 'crash', 'drop', 'slow']

/** @throws MILLRACE_INVALID_OPTION */
export function checkFaults(faults: readonly Fault[], stages: readonly string[]): void {
  for (const [index, fault] of faults.entries()) {
    const refuse = (option: string, expected: string, value: unknown) =>
      invalidOption(`fault ${index + 1}`, option, expected, value)
    if (!stages.includes(fault.stage)) throw refuse('stage', `one of ${stages.join(', ')}`, fault.stage)
    if (!Number.isSafeInteger(fault.item) || fault.item < 1)
      throw refuse('item', 'a positive integer', fault.item)
    if (!KINDS.includes(fault.do)) throw refuse('do', `one of ${KINDS.join(', ')}`, fault.do)
    if (fault.times !== undefined && !(fault.times >= 1))
      throw refuse('times', 'a number of at least 1', fault.times)
    if (fault.do === 'slow' && !(fault.ms >= 0)) throw refuse('ms', 'a number of at least 0', fault.ms)
  }
}

export class Faults {
  readonly #faults: { fault: Fault; left: number }[]
  readonly #crash: (stage: string) => void

  /** @param crash ends the worker of that stage */
  constructor(faults: readonly Fault[], crash: (stage: string) => void) {
    this.#faults = faults.map((fault) => ({ fault, left: fault.times ?? 1 }))
    this.#crash = crash
  }

  /** What the process function gives, or what the fault gives in its place. */
  process(stage: string, items: readonly number[], apply: () => unknown): unknown {
    const found = this.#faults.find(
      ({ fault, left }) => left > 0 && fault.stage === stage && items.includes(fault.item),
    )
    if (found === undefined) return apply()
    found.left--
    return this.#happen(found.fault, apply)
  }

  #happen(fault: Fault, apply: () => unknown): unknown {
    switch (fault.do) {
      case 'throw':
        throw 'error' in fault ? fault.error : new Error(`the test lets item ${fault.item} fail`)
      case 'crash':
        this.#crash(fault.stage)
        return new Promise(() => {})
      case 'hang':
        return new Promise(() => {})
      case 'drop':
        return undefined
      case 'slow':
        return new Promise((resolve) => setTimeout(resolve, fault.ms)).then(apply)
    }
  }
}
