/** One piece of `npm run verify`, in a process of its own: told what in its argument, tells what came of it in one line. */
import { compareReduction, type Reduction } from './explorer/compare-reduction.ts'
import { type Exploration, explore } from './explorer/explore.ts'
import { loadWorlds } from './explorer/load-worlds.ts'
import { type LockstepRuns, runInLockstep } from './explorer/lockstep.ts'
import { type RandomRuns, runRandomly } from './explorer/random-schedules.ts'
import { showSchedule } from './explorer/show-schedule.ts'
import type { Findings } from './explorer/word-table.ts'
import { fuzzCodec } from './fuzz/fuzz-codec.ts'
import { fuzzLane } from './fuzz/fuzz-lane.ts'
import { checkModel } from './model/check-model.ts'
import { MODEL_CHECKS } from './model/model-checks.ts'
import { MUTATIONS } from './mutations/mutations.ts'

export type Job =
  | { do: 'explore'; world: string; mostMs: number; preemptions?: number; reduces?: boolean }
  | { do: 'lockstep'; world: string; seed: number; mostMs: number }
  | { do: 'reduction'; world: string; mostMs: number }
  | { do: 'random'; world: string; seed: number; mostMs: number; mostSchedules?: number }
  | { do: 'mutate'; mutation: string; mostMs: number; seed: number }
  | { do: 'model'; check: string }
  | { do: 'fuzz codec'; seed: number; values: number; records: number; mostMs: number }
  | { do: 'fuzz lane'; seed: number; calls: number; mostMs: number }

/** How a mistake showed, or that it did not. */
export interface Caught {
  mutation: string
  by: string
  what: string
}

/** A schedule that went wrong, for people. */
export interface Shown {
  table?: string
}

async function run(job: Job): Promise<unknown> {
  switch (job.do) {
    case 'explore':
      return exploreWorld(job)
    case 'random':
      return randomWorld(job)
    case 'lockstep':
      return lockstep(job)
    case 'reduction':
      return reduction(job)
    case 'mutate':
      return mutate(job)
    case 'model':
      return checkModel(find(MODEL_CHECKS, job.check))
    case 'fuzz codec':
      return fuzzCodec(job.seed, job.values, job.records, job.mostMs)
    case 'fuzz lane':
      return fuzzLane(job.seed, job.calls, job.mostMs)
  }
}

async function exploreWorld(job: Extract<Job, { do: 'explore' }>): Promise<Exploration & Shown> {
  const { worlds, text } = await loadWorlds()
  const world = find(worlds, job.world)
  const findings: Findings = new Map()
  const options = { reduces: job.reduces ?? false }
  const bound = job.preemptions === undefined ? {} : { preemptions: job.preemptions }
  const result = explore(world, { ...options, ...bound, findings, mostMs: job.mostMs })
  if (result.violation === undefined) return result
  return { ...result, table: showSchedule(world, result.violation.choices, findings, options, text).text }
}

async function randomWorld(job: Extract<Job, { do: 'random' }>): Promise<RandomRuns & Shown> {
  const { worlds, text } = await loadWorlds()
  const world = find(worlds, job.world)
  const findings: Findings = new Map()
  const most = job.mostSchedules === undefined ? {} : { mostSchedules: job.mostSchedules }
  // Of a large world hardly two schedules pass through the same local states: finding out costs more than it saves.
  const merges = world.isLarge !== true
  const result = runRandomly(world, { seed: job.seed, mostMs: job.mostMs, findings, merges, ...most })
  if (result.violation === undefined) return result
  return { ...result, table: showSchedule(world, result.violation.choices, findings, { merges }, text).text }
}

async function lockstep(job: Extract<Job, { do: 'lockstep' }>): Promise<LockstepRuns> {
  const { worlds } = await loadWorlds()
  return runInLockstep(find(worlds, job.world), job.seed, job.mostMs)
}

async function reduction(job: Extract<Job, { do: 'reduction' }>): Promise<Reduction> {
  const { worlds } = await loadWorlds()
  return compareReduction(find(worlds, job.world), job.mostMs)
}

/** By chance first, which is quick to find most; then by looking at everything. */
async function mutate({ mutation: name, mostMs, seed }: Extract<Job, { do: 'mutate' }>): Promise<Caught> {
  const mutation = find(MUTATIONS, name)
  const { worlds } = await loadWorlds(mutation)
  const own = mutation.worlds.map((world) => find(worlds, world))
  for (const world of own) {
    const random = runRandomly(world, { seed, mostMs: mostMs / 2, mostSchedules: 4000 })
    if (random.violation !== undefined) {
      return { mutation: name, by: `${world.name}, random`, what: firstLine(random.violation.what) }
    }
  }
  for (const world of own) {
    const found = explore(world, { mostMs, reduces: true })
    if (found.violation !== undefined) {
      return { mutation: name, by: `${world.name}, all`, what: firstLine(found.violation.what) }
    }
  }
  return { mutation: name, by: '', what: '' }
}

function firstLine(text: string): string {
  return text.split('\n')[0]
}

function find<T extends { name: string }>(all: readonly T[], name: string): T {
  const found = all.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no "${name}"`)
  return found
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2]) as Job)))
