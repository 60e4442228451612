/** One random graph run in this process, with its faults: what came of it, and what is wrong with that. */
import { PipelineError } from '../../errors.ts'
import { ownFile } from '../../host/own-files.ts'
import { sharedNowMs } from '../../observe/counters.ts'
import { type Diagnosis, renderDiagnosis } from '../../observe/diagnosis.ts'
import type { Report } from '../../observe/report.ts'
import type { PipelineManager } from '../../run/manager.ts'
import { start } from '../../run/start.ts'
import { checkGraph } from './check-graph.ts'
import type { FaultKind } from './fault-kinds.ts'
import { GraphLog } from './graph-log.ts'
import { stagesOf } from './graph-oracle.ts'
import type { RunSpec } from './graph-spec.ts'
import type { Random } from './random.ts'

export interface GraphEnd {
  outcome: Report['outcome'] | 'not ended'
  /** Items read by its sources. */
  items: number
  faults: Partial<Record<FaultKind, number>>
  /** From what ended it to its end; of runs that were ended. */
  end: { cause: string; ms: number } | undefined
  /** What is wrong. */
  breaches: string[]
  diagnosis: Diagnosis | undefined
}

/** A run is a second or two of work; on a machine that is busy with other things, many times that. */
const DEADLINE_MS = 120_000

export async function runGraph(spec: RunSpec, random: Random): Promise<GraphEnd> {
  const memory = GraphLog.allocate(spec)
  const log = new GraphLog(spec, memory)
  const run = start(
    ownFile('../cli/stress/graph-module'),
    { spec, log: memory },
    { startMs: DEADLINE_MS },
  ) as PipelineManager
  const watch = new RunWatcher(run, spec, log, random)
  const joined = run.join().catch((error: unknown) => {
    if (error instanceof PipelineError) return error.report as Report
    throw error
  })
  const report = await watch.until(joined)
  if (report === undefined) return notEnded(run)
  const breaches = checkGraph({
    spec,
    report,
    diagnosis: run.diagnosis,
    log,
    dead: watch.dead,
    stopped: watch.stopped,
  })
  return {
    outcome: report.outcome,
    items: report.stages.reduce((sum, stage) => sum + (stage.in === undefined ? stage.done : 0), 0),
    faults: watch.countFaults(report),
    end: watch.end(log, report),
    breaches,
    diagnosis: breaches.length > 0 ? run.diagnosis : undefined,
  }
}

function notEnded(run: PipelineManager): GraphEnd {
  const { diagnosis } = run
  run.abort('it did not end')
  const breaches = [`it has not ended after ${DEADLINE_MS} ms\n${renderDiagnosis(diagnosis)}`]
  return { outcome: 'not ended', items: 0, faults: {}, end: undefined, breaches, diagnosis }
}

/** Stops a run, terminates its threads, and notes who died. */
class RunWatcher {
  readonly dead = new Set<number>()
  stopped: 'drain' | 'abort' | undefined
  readonly #run: PipelineManager
  readonly #spec: RunSpec
  readonly #log: GraphLog
  readonly #random: Random
  #stoppedMs = 0
  #endedMs = 0
  #terminations = 0
  #hasEnded = false

  constructor(run: PipelineManager, spec: RunSpec, log: GraphLog, random: Random) {
    this.#run = run
    this.#spec = spec
    this.#log = log
    this.#random = random
    run.on('restart', ({ stage, worker }) => this.#noteDeath(stage, worker))
    run.on('state', (state) => {
      if (state === 'running') this.#begin()
    })
  }

  /** Undefined: it has not come to its end in its deadline. */
  async until(joined: Promise<Report>): Promise<Report | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), DEADLINE_MS)
    })
    const report = await Promise.race([joined, late])
    this.#endedMs = sharedNowMs()
    this.#hasEnded = true
    clearTimeout(timer)
    return report
  }

  countFaults({ stages }: Report): GraphEnd['faults'] {
    const thrown = stages.reduce((sum, { failed, retried }) => sum + failed + retried, 0)
    const faults: GraphEnd['faults'] = { throw: thrown, terminate: this.#terminations }
    for (const { name, fault } of stagesOf(this.#spec)) {
      const restarts = stages.find((stage) => stage.name === name)?.restarts ?? 0
      if (fault !== undefined && fault.how !== 'throw')
        faults[fault.how] = (faults[fault.how] ?? 0) + restarts
    }
    return faults
  }

  end({ endedMs }: GraphLog, { outcome }: Report): GraphEnd['end'] {
    if (outcome === 'failed' && endedMs !== undefined) return { cause: 'throw', ms: this.#endedMs - endedMs }
    if (this.stopped === undefined || outcome === 'completed') return undefined
    return { cause: this.stopped, ms: this.#endedMs - this.#stoppedMs }
  }

  #begin(): void {
    void this.#stop()
    void this.#terminate()
  }

  async #stop(): Promise<void> {
    const { stop } = this.#spec
    if (stop === undefined) return
    while (!this.#hasEnded && this.#log.delivered < stop.after) await turn()
    if (this.#hasEnded) return
    this.stopped = stop.how
    this.#stoppedMs = sharedNowMs()
    if (stop.how === 'drain') this.#run.drain('the stress test says so')
    else this.#run.abort('the stress test says so')
  }

  /** At moments that the items decide: after so many deliveries, and some turns of the event loop more. */
  async #terminate(): Promise<void> {
    for (let left = this.#spec.terminations; left > 0; left--) {
      const after = this.#log.delivered + this.#random.from(0, 40)
      let turns = this.#random.from(0, 60)
      while (!this.#hasEnded && (this.#log.delivered < after || turns-- > 0)) await turn()
      if (this.#hasEnded) return
      this.#terminateOne()
    }
  }

  #terminateOne(): void {
    const names = stagesOf(this.#spec).flatMap(({ name, on }) => (on === 'thread' ? [name] : []))
    const workers = this.#run.stages
      .filter(({ name }) => names.includes(name))
      .flatMap(({ workerList }) => workerList.filter(({ state }) => state === 'running'))
    if (workers.length === 0) return
    this.#terminations++
    const victim = this.#random.pick(workers)
    if (victim.threadId !== undefined) this.dead.add(victim.threadId)
    victim.triggerTerminate()
  }

  #noteDeath(stage: string, worker: number): void {
    const { threadId } = this.#run.stages.find(({ name }) => name === stage)?.workerList[worker] ?? {}
    if (threadId !== undefined) this.dead.add(threadId)
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
