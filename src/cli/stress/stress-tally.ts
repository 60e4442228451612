/** What has come of a stress test so far: its numbers, and what was wrong. */
import type { Diagnosis } from '../../observe/diagnosis.ts'
import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts'
import type { GraphEnd } from './run-graph.ts'

export interface Breach {
  /** `--seed` of the run. Undefined: of no run by itself. */
  seed: number | undefined
  fault: FaultKind | undefined
  what: string[]
  diagnosis?: Diagnosis
}

export interface WorstEnd {
  ms: number
  cause: string
  seed: number
}

export class StressTally {
  runs = 0
  items = 0
  readonly outcomes: Record<string, number> = {}
  readonly faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  readonly breaches: Breach[] = []
  /** Times from what ended a run to its end, by what it was. */
  readonly ends: Record<string, number[]> = {}
  worst: WorstEnd | undefined

  add(seed: number, fault: FaultKind | undefined, run: GraphEnd): void {
    this.runs++
    this.items += run.items
    this.outcomes[run.outcome] = (this.outcomes[run.outcome] ?? 0) + 1
    for (const kind of FAULT_KINDS) this.faults[kind] += run.faults[kind] ?? 0
    if (run.end !== undefined) this.#addEnd(seed, run.end)
    if (run.breaches.length === 0) return
    const { diagnosis } = run
    this.breaches.push({ seed, fault, what: run.breaches, ...(diagnosis === undefined ? {} : { diagnosis }) })
  }

  #addEnd(seed: number, { cause, ms }: { cause: string; ms: number }): void {
    const times = this.ends[cause] ?? []
    times.push(ms)
    this.ends[cause] = times
    if (ms > (this.worst?.ms ?? 0)) this.worst = { ms, cause, seed }
  }
}
