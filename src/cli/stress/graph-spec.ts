/** The form of a random pipeline: plain data, to be built by build-graph.ts and foretold by graph-oracle.ts. */

export interface RunSpec {
  /** Of everything that stages decide. */
  seed: number
  /** One, or two that are merged. */
  sources: SourceSpec[]
  steps: Step[]
  /** None: every branch of the last step, a split, ends in a sink of its own. */
  sink: StageSpec | undefined
  /** The test is to stop the run when so many items have been delivered. */
  stop: { how: 'drain' | 'abort'; after: number } | undefined
  /** How often a thread of it is terminated from outside, at random moments. */
  terminations: number
}

export interface StageFault {
  /**
   * 'throw': an error that ends the run. The others take the thread, and the run gets over them: 'exit', out of memory,
   * 'hang' for ever in JavaScript.
   */
  how: 'throw' | 'exit' | 'oom' | 'hang'
  /** Number of the item at its source. */
  at: number
}

export interface SourceSpec {
  name: string
  items: number
  on: 'thread' | 'loop'
  isAsync: boolean
}

export type Step = StageSpec | RebatchSpec | SplitSpec

/** A stage, or a sink: that has the forms 'sync' and 'async', and gives nothing. */
export interface StageSpec {
  kind: 'stage' | 'sink'
  name: string
  on: 'thread' | 'loop'
  workers: number
  order: 'input' | 'completion'
  /** By id. */
  isPartitioned: boolean
  capacity: number
  concurrency: number
  form: 'sync' | 'async' | 'generator' | 'async generator'
  /** For some items: 'spin' keeps the thread busy for some microseconds; 'turn' awaits a turn of the event loop. */
  pace: 'none' | 'spin' | 'turn'
  /** Most outputs of an item, of a generator. */
  most: number
  /** Some items are dropped. */
  drops: boolean
  /** A filter after it drops some outputs. */
  hasFilter: boolean
  /** Some items fail, some of them for good. */
  fails: boolean
  onError: 'skip' | 'dead-letter'
  /** Tries in all. */
  attempts: number
  /** What goes wrong in it, at the first try of an item. */
  fault: StageFault | undefined
  /** Each of its workers gives SENTINEL in place of its next item after so many. */
  endAfter: number | undefined
  batch: { size: number; withinMs: number | undefined; isKeyed: boolean } | undefined
}

/** `.batch().unbatch()`: a stage that Millrace adds. */
export interface RebatchSpec {
  kind: 'rebatch'
  size: number
  withinMs: number | undefined
}

export interface SplitSpec {
  kind: 'split'
  name: string
  how: 'broadcast' | 'route'
  /** A route sends some items nowhere. */
  hasNone: boolean
  /** The open ones, those without a sink, are merged. */
  branches: BranchSpec[]
}

export interface BranchSpec {
  name: string
  stages: StageSpec[]
  sink: StageSpec | undefined
}
