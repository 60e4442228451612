/** How many workers a stage with `workers: 'auto'` gets, and whether there are more threads than cores. */
import type { CheckedStage } from './option-rules.ts'

export interface ChosenWorkers {
  /** For each stage. */
  workers: number[]
  notes: string[]
}

/**
 * Cores that the threads of other stages leave are shared out evenly; every stage gets one worker at least.
 * @param cores that this process may use
 */
export function chooseWorkers(stages: readonly CheckedStage[], cores: number): ChosenWorkers {
  const autoStages = stages.filter(isAuto).length
  const taken = stages.reduce(
    (sum, stage) => sum + (isAuto(stage) ? 0 : threadsOf(stage, fixedWorkers(stage))),
    0,
  )
  const share = autoStages === 0 ? 0 : Math.floor((cores - taken) / autoStages)
  const notes: string[] = []
  const workers = stages.map((stage) => {
    if (!isAuto(stage)) return fixedWorkers(stage)
    const { maxWorkers = 256, nativeThreads = 0 } = stage.options
    const chosen = Math.min(Math.max(1, Math.floor(share / (1 + nativeThreads))), maxWorkers)
    notes.push(
      `stage "${stage.definition.name}": workers "auto" is ${chosen}: ${count(cores, 'core')}, ${count(taken, 'other thread')}`,
    )
    return chosen
  })
  return { workers, notes: [...notes, ...noteCrowd(stages, workers, cores)] }
}

function noteCrowd(stages: readonly CheckedStage[], workers: readonly number[], cores: number): string[] {
  const isAskedFor = stages.some(
    ({ options }) =>
      (typeof options.workers === 'number' && options.workers > 1) || (options.nativeThreads ?? 0) > 0,
  )
  const threads = stages.reduce(
    (sum, { options }, index) => sum + (options.on !== 'loop' ? workers[index] : 0),
    0,
  )
  const native = stages.reduce(
    (sum, { options }, index) => sum + (options.nativeThreads ?? 0) * workers[index],
    0,
  )
  if (!isAskedFor || threads + native <= cores) return []
  const both = native === 0 ? '' : ` and ${count(native, 'native thread')}`
  return [`${count(threads, 'thread')}${both} share ${count(cores, 'core')}`]
}

function isAuto({ options }: CheckedStage): boolean {
  return options.workers === 'auto'
}

function fixedWorkers({ options }: CheckedStage): number {
  return typeof options.workers === 'number' ? options.workers : 1
}

function threadsOf({ options }: CheckedStage, workers: number): number {
  return workers * ((options.on !== 'loop' ? 1 : 0) + (options.nativeThreads ?? 0))
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
