/** Makes what was drawn at random one pipeline: within limits, named, without a part that contradicts another. */
import { expectRun, stagesOf } from './graph-oracle.ts'
import type { BranchSpec, RunSpec, StageSpec, Step } from './graph-spec.ts'

export interface Limits {
  /** Stages between the sources and the sinks at most. Default 8. */
  stages?: number
  /** Threads of a run at most. Default 10. */
  threads?: number
  /** Items that all stages together get at most. Default 4,000. */
  records?: number
}

export function fitGraph(spec: RunSpec, limits: Limits = {}): RunSpec {
  const { stages = 8, threads = 10, records = 4000 } = limits
  return fitRecords(fitThreads(named(closed(shortened(spec, stages))), threads), records)
}

/** Makes what was drawn for each field by itself fit together. */
export function agree(given: StageSpec): StageSpec {
  const isAsync = given.form.startsWith('async')
  const workers = given.on === 'loop' ? 1 : given.workers
  return {
    ...given,
    workers,
    concurrency: isAsync ? given.concurrency : 1,
    pace: given.pace === 'turn' && !isAsync ? 'spin' : given.pace,
    isPartitioned: given.isPartitioned && given.batch === undefined,
    fault: given.on === 'loop' ? undefined : given.fault,
  }
}

/** Leaves out what is too much, from the end. */
function shortened(spec: RunSpec, most: number): RunSpec {
  let left = most
  const take = <T>(list: T[]): T[] => {
    const taken = list.slice(0, left)
    left -= taken.length
    return taken
  }
  const steps = spec.steps.flatMap((step): Step[] => {
    if (step.kind !== 'split') return take([step])
    return [
      { ...step, branches: step.branches.map((branch) => ({ ...branch, stages: take(branch.stages) })) },
    ]
  })
  return { ...spec, steps }
}

/** Nothing follows a split of which no branch is open. */
function closed(spec: RunSpec): RunSpec {
  const isClosed = (step: Step): boolean => step.kind === 'split' && step.branches.every(({ sink }) => sink)
  const last = spec.steps.findIndex(isClosed)
  return last < 0 ? spec : { ...spec, steps: spec.steps.slice(0, last + 1), sink: undefined }
}

/** Names that are different, and say where: "stage 2", "split 3", "sink a 3". */
function named(spec: RunSpec): RunSpec {
  const steps = spec.steps.map((step, index): Step => {
    const number = index + 1
    if (step.kind === 'rebatch') return step
    if (step.kind !== 'split') return { ...step, name: `stage ${number}` }
    const branches = step.branches.map((branch, place): BranchSpec => {
      const name = 'abc'[place]
      const stages = branch.stages.map((stage, at) => ({ ...stage, name: `stage ${number}${name}${at + 1}` }))
      return { name, stages, sink: branch.sink && { ...branch.sink, name: `sink ${number}${name}` } }
    })
    return { ...step, name: `split ${number}`, branches }
  })
  const sources = spec.sources.map((source, index) => ({ ...source, name: `source ${index + 1}` }))
  return { ...spec, sources, steps, sink: spec.sink && { ...spec.sink, name: 'sink' } }
}

/** Takes workers away, one each from the stage that has most, then moves stages to the loop. Changes the spec. */
function fitThreads(spec: RunSpec, most: number): RunSpec {
  const stages = stagesOf(spec)
  for (;;) {
    const onThreads = [...stages, ...spec.sources].filter(({ on }) => on === 'thread')
    const threads = onThreads.reduce((sum, stage) => sum + ('workers' in stage ? stage.workers : 1), 0)
    if (threads <= most) return spec
    const largest = stages.reduce((one, other) => (other.workers > one.workers ? other : one))
    if (largest.workers > 1) largest.workers--
    else onThreads[0].on = 'loop'
    for (const stage of stages) Object.assign(stage, agree(stage))
  }
}

/** Halves the number of items until it is a run for a test. Changes the spec. */
function fitRecords(spec: RunSpec, most: number): RunSpec {
  for (;;) {
    const records = Object.values(expectRun(spec).stages).reduce((sum, stage) => sum + stage.in, 0)
    if (records <= most) return spec
    for (const source of spec.sources) source.items >>= 1
  }
}
