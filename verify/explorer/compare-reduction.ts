/** Explores a world whole and with schedules left out: both must come to the same endings. */
import { explore } from './explore.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

export interface Reduction {
  world: string
  wholeStates: number
  states: number
  /** What the threads noted, in all endings: how many different ones. */
  outcomes: number
  isSame: boolean
}

export function compareReduction(world: World, mostMs: number): Reduction {
  const [whole, reduced] = [false, true].map((reduces) => {
    const outcomes = new Set<string>()
    const onEnding = ({ nodes, threads }: Machine) => {
      outcomes.add(nodes.map(({ log }, thread) => `${threads.specs[thread].name} ${log.join()}`).join('; '))
    }
    return { found: explore(world, { reduces, mostMs, onEnding }), outcomes }
  })
  const isWhole = whole.found.isComplete && reduced.found.isComplete
  const missing = [...whole.outcomes].filter((outcome) => !reduced.outcomes.has(outcome))
  return {
    world: world.name,
    wholeStates: whole.found.states,
    states: reduced.found.states,
    outcomes: whole.outcomes.size,
    isSame: isWhole && missing.length === 0 && whole.found.endings === reduced.found.endings,
  }
}
