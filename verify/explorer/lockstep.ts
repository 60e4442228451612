/**
 * The same random schedules twice, side by side: once with local states merged, once without. After every step each thread must
 * be about to do the same, and have noted the same: a checkpoint that merged what differs shows.
 */
import { Machine } from './machine.ts'
import { lookAtFirst, Random } from './random-schedules.ts'
import { setThreads } from './shared-views.ts'
import { RESTART } from './threads.ts'
import type { Findings } from './word-table.ts'
import type { World } from './world.ts'

export interface LockstepRuns {
  world: string
  schedules: number
  steps: number
  elapsedMs: number
  difference?: string | undefined
}

/** Local states after which they are forgotten, to stay small. */
const MOST_LOCAL_STATES = 300_000

export function runInLockstep(world: World, seed: number, mostMs: number): LockstepRuns {
  const began = performance.now()
  const findings: Findings = new Map()
  lookAtFirst(world, findings, mostMs / 2)
  const result: LockstepRuns = { world: world.name, schedules: 0, steps: 0, elapsedMs: 0 }
  let pair: Machine[] = []
  const until = performance.now() + mostMs / 2
  while (performance.now() < until && result.difference === undefined) {
    try {
      if (pair.length === 0 || pair[1].threads.states > MOST_LOCAL_STATES) {
        pair = [new Machine(world, findings), new Machine(world, findings, { merges: false })]
      }
      runPair(pair, new Random(seed + result.schedules * 7919), result)
      if (pair.some(({ threads }) => threads.foundMore)) {
        pair = []
        continue
      }
      result.schedules++
    } catch (error) {
      if (error !== RESTART) throw error
      pair = []
    }
  }
  result.elapsedMs = performance.now() - began
  return result
}

function runPair(pair: readonly Machine[], random: Random, result: LockstepRuns): void {
  const on = <T>(machine: Machine, action: () => T): T => {
    setThreads(machine.threads)
    return action()
  }
  const [merged, whole] = pair
  for (const machine of pair) on(machine, () => machine.reset())
  const choices: number[] = []
  const others: number[] = []
  const deathAt = merged.deathsLeft > 0 ? random.below(200) : -1
  for (let step = 0; ; step++) {
    const steps = merged.choices(choices)
    whole.choices(others)
    if (choices.join() !== others.join()) result.difference = 'other threads can go on'
    else result.difference = differenceOf(merged, whole)
    if (result.difference !== undefined) {
      result.difference += `, after ${step} steps of schedule ${result.schedules}`
      return
    }
    if (steps === 0) return
    const isDeath = deathAt >= 0 && step >= deathAt && choices.length > steps
    const choice = isDeath
      ? choices[steps + random.below(choices.length - steps)]
      : choices[random.below(steps)]
    for (const machine of pair) {
      on(machine, () => {
        machine.forget()
        machine.take(choice)
      })
    }
    result.steps++
  }
}

function differenceOf(merged: Machine, whole: Machine): string | undefined {
  for (let thread = 0; thread < merged.count; thread++) {
    if (merged.isDead(thread)) continue
    const [one, other] = [describe(merged, thread), describe(whole, thread)]
    if (one !== other) return `${merged.threads.specs[thread].name} is at "${one}", not at "${other}"`
  }
  return undefined
}

function describe({ nodes, threads }: Machine, thread: number): string {
  const { kind, word, first, second, isTimed, log } = nodes[thread]
  const key = word < 0 ? '' : threads.table.words[word].key
  return `${kind} ${key} ${first} ${second} ${isTimed} [${log.join()}]`
}
