/** From a run to the numbers of its live view: rates and shares over the last two seconds. */

import { FAILED, sharedNowMs } from '../observe/counters.ts'
import type { Progress, StageProgress } from '../observe/progress.ts'
import type { PipelineManager } from '../run/manager.ts'
import type { PipelineStage } from '../run/stage.ts'

interface Sample {
  atMs: number
  stages: { items: number; busyMs: number; lifeMs: number; level: number }[]
}

const WINDOW_MS = 2000

export class RunWatch {
  readonly #run: PipelineManager
  readonly #startedMs = performance.now()
  readonly #samples: Sample[] = []

  constructor(run: PipelineManager) {
    this.#run = run
  }

  /** How often the stages have written to stdout (1) or stderr (2). */
  writes(fd: 1 | 2): number {
    const workers = this.#run.stages.flatMap(({ workerList }) => workerList)
    return workers.reduce((sum, { counters }) => sum + counters.writes(fd), 0)
  }

  /** Undefined until there are stages. */
  read(): Progress | undefined {
    const { stages, state } = this.#run
    if (stages.length === 0) return undefined
    const now = this.#sample(stages)
    return {
      pipeline: this.#run.plan?.pipeline ?? 'pipeline',
      state,
      elapsedMs: performance.now() - this.#startedMs,
      stages: stages.map((stage, index) => this.#readStage(stage, index, now)),
    }
  }

  #sample(stages: readonly PipelineStage[]): Sample {
    const sample: Sample = { atMs: performance.now(), stages: stages.map(sampleStage) }
    this.#samples.push(sample)
    while (this.#samples.length > 2 && sample.atMs - this.#samples[0].atMs > WINDOW_MS) this.#samples.shift()
    return sample
  }

  #readStage(stage: PipelineStage, index: number, now: Sample): StageProgress {
    const { inputs } = stage
    const then = this.#samples[0].stages[index]
    const { items, busyMs, lifeMs } = now.stages[index]
    const seconds = (now.atMs - this.#samples[0].atMs) / 1000
    const livedMs = lifeMs - then.lifeMs
    const isIdle = livedMs <= 0 || (items === then.items && isAsleep(stage))
    return {
      name: stage.name,
      state: this.#run.isPaused && stage.state === 'running' ? 'paused' : stage.state,
      workers: stage.workers,
      ...countsOf(stage),
      items,
      itemsPerSecond: seconds > 0 ? (items - then.items) / seconds : 0,
      busyShare: isIdle ? 0 : Math.min(1, Math.max(0, (busyMs - then.busyMs) / livedMs)),
      ...(inputs.length === 0
        ? {}
        : { queue: { level: this.#meanLevel(index), capacity: capacityOf(inputs) } }),
    }
  }

  /** A level that jumps with every look would tell nothing. */
  #meanLevel(index: number): number {
    const sum = this.#samples.reduce((total, { stages }) => total + stages[index].level, 0)
    return Math.round(sum / this.#samples.length)
  }
}

function sampleStage({ workerList, inputs, outputs }: PipelineStage): Sample['stages'][number] {
  const sample = { items: 0, busyMs: 0, lifeMs: 0, level: 0 }
  for (const { counters } of workerList) {
    const times = counters.times(sharedNowMs())
    sample.busyMs += times.busyMs
    sample.lifeMs += times.busyMs + times.starvedMs + times.blockedMs
    if (inputs.length > 0) sample.items += counters.settled
  }
  if (inputs.length === 0) sample.items = sum(outputs.map(({ passed }) => passed))
  sample.level = sum(inputs.map(({ level }) => level))
  return sample
}

function countsOf({
  workerList,
  inputs,
}: PipelineStage): Pick<StageProgress, 'failed' | 'restarts' | 'dropped'> {
  return {
    failed: sum(workerList.map(({ counters }) => counters.of(FAILED))),
    restarts: sum(workerList.map(({ restarts }) => restarts)),
    dropped: sum(inputs.map(({ dropped }) => dropped)),
  }
}

function capacityOf(queues: PipelineStage['inputs']): number {
  return sum(queues.map(({ capacity }) => capacity))
}

/** A wait counts as one only when it is over: this tells of one that lasts. */
function isAsleep(stage: PipelineStage): boolean {
  return stage.workerList.every(({ isAbsent, number }) => isAbsent || stage.isAsleep(number))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
