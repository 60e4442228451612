/**
 * Random schedules of a world, from a seed: half of them by chance at every step, half by priorities that change at a few
 * random steps (Burckhardt et al. 2010, "A randomized scheduler with probabilistic guarantees of finding bugs").
 */
import { CHOICES, Machine, type MachineOptions } from './machine.ts'
import { mixHigh, mixLow, StateSet } from './state-set.ts'
import { RESTART } from './threads.ts'
import type { Findings } from './word-table.ts'
import type { World } from './world.ts'

export interface RandomRuns {
  world: string
  seed: number
  schedules: number
  /** Of them, no two alike. */
  distinct: number
  /** Of them, no two alike but for the order of steps that do not meet: who read which value from whom differs. */
  classes: number
  steps: number
  plainSteps: number
  elapsedMs: number
  violation?: { what: string; choices: number[]; schedule: number }
}

export interface RandomOptions extends MachineOptions {
  seed: number
  mostMs: number
  mostSchedules?: number
  findings?: Findings
}

/** Steps after which a schedule without an end is one: a livelock. */
const MOST_STEPS = 20_000
/** Local states after which they are forgotten, to stay small. */
const MOST_LOCAL_STATES = 400_000

export function runRandomly(world: World, options: RandomOptions): RandomRuns {
  const began = performance.now()
  const findings: Findings = options.findings ?? new Map()
  lookAtFirst(world, findings, options.mostMs / 4, options)
  const seen = new StateSet()
  const classes = new StateSet()
  const result: RandomRuns = {
    world: world.name,
    seed: options.seed,
    schedules: 0,
    distinct: 0,
    classes: 0,
    steps: 0,
    plainSteps: 0,
    elapsedMs: 0,
  }
  const deadline = began + options.mostMs
  const most = options.mostSchedules ?? Number.POSITIVE_INFINITY
  let machine: Machine | undefined
  while (result.schedules < most && performance.now() < deadline) {
    try {
      if (machine === undefined || machine.threads.states > MOST_LOCAL_STATES) {
        machine = new Machine(world, findings, options)
      }
      const before = machine.fused
      // The same schedule again, if a word turned out to be shared in it.
      const one = runOnce(machine, new Random(options.seed + result.schedules * 7919))
      if (machine.threads.foundMore) {
        machine = undefined
        continue
      }
      result.plainSteps += machine.fused - before
      result.steps += one.choices.length
      if (seen.add(one.low, one.high, 0) === undefined) result.distinct++
      if (classes.add(one.trace.low, one.trace.high, 0) === undefined) result.classes++
      if (one.what !== undefined) {
        result.violation = { what: one.what, choices: one.choices, schedule: result.schedules }
        break
      }
      result.schedules++
    } catch (error) {
      if (error !== RESTART) throw error
      machine = undefined
    }
  }
  result.elapsedMs = performance.now() - began
  return result
}

/** How many schedules in a row that show nothing new are enough. */
const QUIET_LOOKS = 60

/** Finds out who touches which words, before the world is explored: to find it out later means to begin again. */
export function lookAtFirst(
  world: World,
  findings: Findings,
  mostMs: number,
  options: MachineOptions = {},
): void {
  const deadline = performance.now() + mostMs
  let machine: Machine | undefined
  let quiet = 0
  for (let seed = 1; quiet < QUIET_LOOKS && performance.now() < deadline; seed++) {
    if (machine === undefined || machine.threads.states > MOST_LOCAL_STATES) {
      machine = new Machine(world, findings, { ...options, isFirstLook: true, merges: false })
    }
    machine.threads.foundMore = false
    runOnce(machine, new Random(seed * 7919))
    if (machine.threads.foundMore) quiet = 0
    else quiet++
  }
}

interface OneRun {
  choices: number[]
  low: number
  high: number
  trace: Trace
  what: string | undefined
}

/**
 * What is left of a schedule when the order of steps that do not meet is forgotten: for each thread its steps, and for each of
 * them how often its word had been written before.
 */
class Trace {
  low = 0
  high = 0
  readonly #steps: number[]
  readonly #versions = new Map<number, number>()

  constructor(threads: number) {
    this.#steps = new Array<number>(threads).fill(0)
  }

  add(choice: number, word: number, isWrite: boolean): void {
    const thread = (choice / CHOICES) | 0
    const step = this.#steps[thread]++
    const version = this.#versions.get(word) ?? 0
    if (isWrite) this.#versions.set(word, version + 1)
    const where = mixLow(choice, step)
    this.low = (this.low + mixLow(where, mixHigh(word, version))) | 0
    this.high = (this.high + mixHigh(where, mixLow(word, version))) | 0
  }
}

function runOnce(machine: Machine, random: Random): OneRun {
  machine.reset()
  const pick = random.below(2) === 0 ? byChance(random) : byPriority(random, machine.count)
  const choices: number[] = []
  const options: number[] = []
  const trace = new Trace(machine.count)
  let low = 0
  let high = 0
  // Deaths are rare among the choices; or no schedule would get far.
  let deathAt = machine.deathsLeft > 0 ? random.below(200) : -1
  for (;;) {
    const failure = machine.failure
    if (failure !== undefined) return { choices, low, high, trace, what: failure }
    const steps = machine.choices(options)
    if (steps === 0) return { choices, low, high, trace, what: machine.judge() }
    if (choices.length > MOST_STEPS) return { choices, low, high, trace, what: 'it goes on for ever' }
    let choice: number
    if (deathAt >= 0 && choices.length >= deathAt && options.length > steps) {
      choice = options[steps + random.below(options.length - steps)]
      deathAt = machine.deathsLeft > 1 ? choices.length + random.below(200) : -1
    } else choice = pick(options, steps, choices.length)
    choices.push(choice)
    low = Math.imul(low ^ choice, 0x01000193) ^ (low >>> 15)
    high = Math.imul(high ^ (choice + 0x9e37), 0x85ebca6b) ^ (high >>> 13)
    const { word, isWrite } = machine.touchedBy(choice)
    trace.add(choice, word, isWrite)
    machine.forget()
    machine.take(choice)
  }
}

type Pick = (choices: readonly number[], steps: number, at: number) => number

function byChance(random: Random): Pick {
  // A thread goes on for a while more often than not: long runs of one thread make rare orders.
  let last = -1
  return (choices, steps) => {
    if (last >= 0 && random.below(4) > 0) {
      for (let index = 0; index < steps; index++)
        if (((choices[index] / CHOICES) | 0) === last) return choices[index]
    }
    const choice = choices[random.below(steps)]
    last = (choice / CHOICES) | 0
    return choice
  }
}

function byPriority(random: Random, threads: number): Pick {
  const priorities = Array.from({ length: threads }, (_, thread) => thread + threads)
  for (let index = threads - 1; index > 0; index--) {
    const other = random.below(index + 1)
    ;[priorities[index], priorities[other]] = [priorities[other], priorities[index]]
  }
  const changes = new Set(Array.from({ length: 1 + random.below(4) }, () => random.below(300)))
  return (choices, steps, at) => {
    let best = choices[0]
    for (let index = 1; index < steps; index++) {
      if (priorities[(choices[index] / CHOICES) | 0] > priorities[(best / CHOICES) | 0]) best = choices[index]
    }
    if (changes.has(at)) priorities[(best / CHOICES) | 0] = -at
    return best
  }
}

/** Marsaglia's xorshift, 32 bits. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ 0x5bf03635 || 1
    for (let turn = 0; turn < 5; turn++) this.#next()
  }

  below(limit: number): number {
    return this.#next() % limit
  }

  #next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return state >>> 0
  }
}
