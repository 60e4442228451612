/** Runs random graphs, several at a time, one batch after the other, and looks after each batch what is left behind. */
import { availableParallelism } from 'node:os'
import process from 'node:process'
import type { Worker } from 'node:worker_threads'
import { errorToWire } from '../../errors.ts'
import { drawGraph } from './draw-graph.ts'
import type { FaultKind } from './fault-kinds.ts'
import { interruptGraph } from './interrupt-graph.ts'
import { Random } from './random.ts'
import { type GraphEnd, runGraph } from './run-graph.ts'
import type { StressOptions } from './stress-options.ts'
import { StressTally } from './stress-tally.ts'

/** Both cores are to be loaded, also while one run waits. */
export const AT_A_TIME = Math.max(2, availableParallelism())
const BATCH = AT_A_TIME * 8
/** Turns of the event loop that what has ended may take to be gone. */
const SETTLE_TURNS = 200
/** One run in so many has no fault. */
const NO_FAULT_ONE_IN = 7

export class Stress {
  readonly tally = new StressTally()
  readonly #options: StressOptions
  readonly #liveThreads = new Set<number>()
  #next: number
  #isOver = false

  constructor(options: StressOptions) {
    this.#options = options
    this.#next = options.seed
  }

  /** No new run is begun. */
  stop(): void {
    this.#isOver = true
  }

  async run(): Promise<StressTally> {
    const onWorker = (worker: Worker): void => this.#follow(worker)
    process.on('worker', onWorker)
    const untilMs = performance.now() + this.#options.seconds * 1_000
    const before = countResources()
    do {
      let left = BATCH
      const work = async (): Promise<void> => {
        while (left-- > 0 && this.tally.breaches.length === 0) {
          await this.#runOne(this.#next++)
          if (this.#isOver || performance.now() >= untilMs) return
        }
      }
      await Promise.all(Array.from({ length: AT_A_TIME }, work))
      await this.#checkNothingLeft(before)
    } while (!this.#isOver && performance.now() < untilMs && this.tally.breaches.length === 0)
    process.off('worker', onWorker)
    return this.tally
  }

  #follow(worker: Worker): void {
    const { threadId } = worker
    this.#liveThreads.add(threadId)
    worker.once('exit', () => this.#liveThreads.delete(threadId))
  }

  async #runOne(seed: number): Promise<void> {
    const random = new Random(seed ^ 0x5eed)
    const { faults } = this.#options
    const fault = faults.length === 0 || random.oneIn(NO_FAULT_ONE_IN) ? undefined : random.pick(faults)
    this.tally.add(seed, fault, await runSafely(seed, fault, random))
  }

  /** No run goes on now. */
  async #checkNothingLeft(before: number): Promise<void> {
    const left = (): number => this.#liveThreads.size + Math.max(0, countResources() - before)
    for (let turns = SETTLE_TURNS; turns > 0 && left() > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve))
    if (left() === 0 || this.tally.breaches.some(({ what }) => what[0].startsWith('it has not ended'))) return
    const threads = [...this.#liveThreads].join(', ') || 'none'
    const what = [`left behind: threads ${threads}; resources ${process.getActiveResourcesInfo().join(', ')}`]
    this.tally.breaches.push({ seed: undefined, fault: undefined, what })
  }
}

/** With the standard streams: whoever asks for one first opens it, a worker that prints perhaps. */
function countResources(): number {
  void [process.stdout, process.stderr]
  return process.getActiveResourcesInfo().length
}

async function runSafely(seed: number, fault: FaultKind | undefined, random: Random): Promise<GraphEnd> {
  try {
    return await (fault === 'sigint'
      ? interruptGraph(seed, random)
      : runGraph(drawGraph(seed, fault), random))
  } catch (error) {
    const { message, stack } = errorToWire(error)
    return {
      outcome: 'not ended',
      items: 0,
      faults: {},
      end: undefined,
      breaches: [`it could not be run: ${stack ?? message}`],
      diagnosis: undefined,
    }
  }
}
