/** Pipelines as worlds, and what their sinks must have taken at the end. */
import type { Ending, World } from '../explorer/world.ts'
import { makePipeline, type PipelineShape } from './pipelines.ts'

export type Judge = (ending: Ending) => string | undefined

export function world(
  name: string,
  about: string,
  shape: PipelineShape,
  judge: Judge,
  more: Partial<World> = {},
): World {
  return { name, about, ...more, setUp: () => makePipeline(shape).threads, judge }
}

/** What the sink must have noted, in this order. */
export function inOrder(...items: number[]): Judge {
  return ({ notes }) => differs(taken(notes), items)
}

/** In any order. */
export function inAnyOrder(...items: number[]): Judge {
  return ({ notes }) =>
    differs(
      taken(notes).toSorted((one, other) => one - other),
      items,
    )
}

/** As many of them as there were, from the first on: the run was stopped. */
export function beginningOf(...items: number[]): Judge {
  return ({ notes }) => {
    const got = taken(notes)
    return differs(got, items.slice(0, got.length))
  }
}

/** Those of them that were not dropped, each once and in order. */
export function partOf(...items: number[]): Judge {
  return ({ notes }) => {
    const got = taken(notes)
    return differs(
      got,
      items.filter((item) => got.includes(item)),
    )
  }
}

/** An item that a killed sink had in hand comes again. */
export function perhapsTwice(...items: number[]): Judge {
  return ({ notes, killed }) => {
    const first = itemsOf(notes.get('sink0'))
    const later = itemsOf(notes.get('sink0 life 2'))
    if (killed.size === 0) return differs(first, items)
    const isAgain = later.length > 0 && later[0] === first.at(-1)
    return differs([...first, ...(isAgain ? later.slice(1) : later)], items)
  }
}

/** A worker that dies before it was ever ready is not started again: then the run is aborted, and cut. */
export function orCut(judge: Judge, ...items: number[]): Judge {
  return (ending) => {
    const isCut = [...ending.notes.values()].some((log) => log.includes('died'))
    return isCut ? beginningOf(...items)(ending) : judge(ending)
  }
}

/**
 * The same of several workers: a sink that had looked at the stop just before takes one more item, and that may be behind
 * one that was left with the dead worker. What is taken is in order.
 */
export function orCutWithGap(judge: Judge, ...items: number[]): Judge {
  return (ending) => {
    const isCut = [...ending.notes.values()].some((log) => log.includes('died'))
    return isCut ? partOf(...items)(ending) : judge(ending)
  }
}

function itemsOf(log: readonly string[] = []): number[] {
  return log.map(Number).filter((item) => item > 0)
}

function taken(notes: Ending['notes']): number[] {
  return [...notes].filter(([name]) => name.startsWith('sink')).flatMap(([, log]) => itemsOf(log))
}

function differs(got: readonly number[], wanted: readonly number[]): string | undefined {
  return got.join() === wanted.join()
    ? undefined
    : `the sink took ${got.join(' ') || 'nothing'}, not ${wanted.join(' ')}`
}
