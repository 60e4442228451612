/**
 * The life of a run: one table of legal moves, forward only. `RunState.advance` is the one function that assigns it.
 */

export type RunStateName = 'planned' | 'starting' | 'running' | 'draining' | 'aborting' | 'ended'

const MOVES: Readonly<Record<RunStateName, readonly RunStateName[]>> = {
  planned: ['starting', 'ended'],
  starting: ['running', 'draining', 'aborting', 'ended'],
  running: ['draining', 'aborting', 'ended'],
  draining: ['aborting', 'ended'],
  aborting: ['ended'],
  ended: [],
}

export class RunState {
  #name: RunStateName = 'planned'
  readonly #changed: (name: RunStateName) => void

  constructor(changed: (name: RunStateName) => void = () => {}) {
    this.#changed = changed
  }

  get name(): RunStateName {
    return this.#name
  }

  is(...names: RunStateName[]): boolean {
    return names.includes(this.#name)
  }

  canBecome(name: RunStateName): boolean {
    return MOVES[this.#name].includes(name)
  }

  /** Moves on; false, and nothing happens, if that would not be a move forward. */
  advance(name: RunStateName): boolean {
    if (!this.canBecome(name)) return false
    this.#name = name
    this.#changed(name)
    return true
  }
}
