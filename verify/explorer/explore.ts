/**
 * Explores all schedules of a world: depth first, each state once.
 *
 * A schedule is a way from the beginning to an end. Ways that meet in a state go on together, so far more schedules are
 * judged than are walked; `schedules` counts them, as ways through the graph of states.
 */
import { CHOICES, Machine, type MachineOptions } from './machine.ts'
import { lookAtFirst } from './random-schedules.ts'
import { StateSet } from './state-set.ts'
import { RESTART } from './threads.ts'
import type { Findings } from './word-table.ts'
import type { World } from './world.ts'

export interface Exploration {
  world: string
  /** Everything was seen: false if `mostStates` or the time was over first, or at a violation. */
  isComplete: boolean
  states: number
  /** Steps taken: ways from one state to the next. */
  steps: number
  /** Plain accesses that were carried out within steps. */
  plainSteps: number
  schedules: number
  endings: number
  /** Ways back to a state on the same way: a schedule without an end. */
  cycles: number
  localStates: number
  /** Words whose plain accesses are steps of their own. */
  racyWords: string[]
  elapsedMs: number
  violation?: { what: string; choices: number[] }
}

export interface ExploreOptions extends MachineOptions {
  mostStates?: number
  mostMs?: number
  /** Most switches away from a thread that could go on. Default: any. */
  preemptions?: number
  findings?: Findings
  /** Called with each ending: the hash of what the threads noted. */
  onEnding?: (machine: Machine) => void
}

const ON_THE_WAY = -1

class Violation {
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

class Budget {}

export function explore(world: World, options: ExploreOptions = {}): Exploration {
  const began = performance.now()
  const findings: Findings = options.findings ?? new Map()
  lookAtFirst(world, findings, 10_000, options)
  for (;;) {
    const search = new Search(world, findings, options, began)
    try {
      search.run()
      return search.result
    } catch (error) {
      if (error !== RESTART) throw error
    }
  }
}

class Search {
  readonly result: Exploration
  readonly #options: ExploreOptions
  #seen = new StateSet()
  /** When to begin again, because a word turned out to be racy: not at once, since there may be more of them. */
  #restartAt = Number.POSITIVE_INFINITY
  readonly #began: number
  readonly #findings: Findings
  readonly #world: World
  readonly #mostStates: number
  readonly #deadline: number
  readonly #way: number[] = []
  #checkFound = (): void => {}

  constructor(world: World, findings: Findings, options: ExploreOptions, began: number) {
    this.#world = world
    this.#findings = findings
    this.#options = options
    this.#began = began
    this.#mostStates = options.mostStates ?? Number.POSITIVE_INFINITY
    this.#deadline = began + (options.mostMs ?? Number.POSITIVE_INFINITY)
    this.result = {
      world: world.name,
      isComplete: false,
      states: 0,
      steps: 0,
      plainSteps: 0,
      schedules: 0,
      endings: 0,
      cycles: 0,
      localStates: 0,
      racyWords: [],
      elapsedMs: 0,
    }
  }

  run(): void {
    const { result } = this
    const machine = new Machine(this.#world, this.#findings, this.#options)
    const started = performance.now()
    this.#checkFound = () => {
      if (!machine.threads.foundMore) return
      const now = performance.now()
      if (now > this.#restartAt) throw RESTART
      if (this.#restartAt === Number.POSITIVE_INFINITY)
        this.#restartAt = now + Math.max(500, (now - started) / 2)
    }
    try {
      const failure = machine.failure
      if (failure !== undefined) throw new Violation(failure)
      const { preemptions } = this.#options
      do {
        machine.reset()
        machine.reliedOnTooLittle = false
        this.#seen = new StateSet()
        Object.assign(result, { steps: 0, endings: 0, cycles: 0 })
        result.schedules =
          preemptions === undefined ? this.#visit(machine) : this.#visitBounded(machine, preemptions, -1)
        if (machine.threads.foundMore) throw RESTART
      } while (machine.reliedOnTooLittle)
      result.isComplete = true
    } catch (error) {
      // Not to be trusted: what is behind it may be two accesses at once.
      if (error instanceof Violation && machine.threads.foundMore) throw RESTART
      if (error instanceof Violation) result.violation = { what: error.what, choices: [...this.#way] }
      else if (!(error instanceof Budget)) throw error
    }
    result.states = this.#seen.size
    result.plainSteps = machine.fused
    result.localStates = machine.threads.states
    const { words } = machine.threads.table
    result.racyWords = words.filter(({ found }) => found.isRacy).map(({ name }) => name)
    result.elapsedMs = performance.now() - this.#began
  }

  /** Schedules from here on. */
  #visit(machine: Machine): number {
    const { low, high, deathsLeft } = machine
    const known = this.#seen.add(low, high, ON_THE_WAY)
    if (known !== undefined) {
      if (known !== ON_THE_WAY) return known
      this.result.cycles++
      return 0
    }
    this.#checkBudget()
    const choices: number[] = []
    const steps = machine.choices(choices)
    let schedules = 0
    const { mark } = machine
    if (steps === 0) schedules += this.#end(machine)
    else if (this.#options.reduces) machine.reduce(choices, steps)
    for (const choice of choices) {
      this.#take(machine, choice)
      schedules += this.#visit(machine)
      this.#way.pop()
      machine.undo(mark, low, high, deathsLeft)
    }
    this.#seen.set(low, high, schedules)
    return schedules
  }

  /** The same with a bound on preemptions: for the shortest way to a violation that is known to be there. */
  #visitBounded(machine: Machine, left: number, last: number): number {
    const { low, high, deathsLeft } = machine
    const tag = (left * 32 + last + 1) | 0
    const known = this.#seen.add(low ^ Math.imul(tag, 0x9e3779b1), high ^ Math.imul(tag, 0x85ebca6b), 0)
    if (known !== undefined) return 0
    this.#checkBudget()
    const choices: number[] = []
    const steps = machine.choices(choices)
    const { mark } = machine
    if (steps === 0) this.#end(machine)
    const isLastRunnable = last >= 0 && choices.some((choice) => ((choice / CHOICES) | 0) === last)
    for (const choice of choices) {
      const thread = (choice / CHOICES) | 0
      const isPreemption = isLastRunnable && thread !== last
      if (isPreemption && left === 0) continue
      this.#take(machine, choice)
      this.#visitBounded(machine, isPreemption ? left - 1 : left, thread)
      this.#way.pop()
      machine.undo(mark, low, high, deathsLeft)
    }
    return 0
  }

  #take(machine: Machine, choice: number): void {
    this.#way.push(choice)
    this.result.steps++
    machine.take(choice)
    const failure = machine.failure
    if (failure !== undefined) throw new Violation(failure)
  }

  #end(machine: Machine): number {
    this.result.endings++
    const wrong = machine.judge()
    if (wrong !== undefined) throw new Violation(wrong)
    this.#options.onEnding?.(machine)
    return 1
  }

  #checkBudget(): void {
    if (this.#seen.size > this.#mostStates) throw new Budget()
    if ((this.#seen.size & 4095) !== 0) return
    if (performance.now() > this.#deadline) throw new Budget()
    this.#checkFound()
  }
}
