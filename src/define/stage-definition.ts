/** A stage as it was written, and how stages hang together. Checked when it is planned. */
import type { BatchOptions } from './batch-options.ts'
import type { FusedOperator } from './stage-body.ts'
import type { SourceOptions, StageOptions } from './stage-options.ts'

export type StageKind = 'source' | 'stage' | 'sink'

/** How a stage with several branches after it shares out what it gives: every item to each, or each to one. */
export type SplitKind = 'broadcast' | 'route'

/**
 * A stage that Millrace adds: the caller's `input` and output, the file of the dead letters, and a stage that hands on
 * what it gets, where something needs a worker that has none.
 */
export type BuiltinKind = 'input' | 'output' | 'dead-letters' | 'identity'

/** Where a stage gets its items from. */
export interface Feed {
  readonly stage: string
  /** Which of its branches; it has some if it splits. */
  readonly branch?: string
}

export interface StageDefinition {
  readonly kind: StageKind
  readonly name: string
  readonly body: unknown
  readonly options: StageOptions & SourceOptions
  readonly operators: readonly FusedOperator[]
  /** It takes batches of what it gets. */
  readonly batch?: BatchOptions
  /** Empty: a source, a stage that is fed by the caller, the sink of the dead letters. */
  readonly from: readonly Feed[]
  readonly split?: SplitKind
  /** Names of the branches after it; there are some exactly if it splits. */
  readonly branches?: readonly string[]
  /** Which branch an output takes, if it routes; undefined: none. */
  readonly choose?: (item: unknown) => unknown
  /** It takes the dead letters of the pipeline. */
  readonly takesDeadLetters?: true
  readonly builtin?: BuiltinKind
  /** Where dead letters are written, if `builtin` is 'dead-letters'. */
  readonly file?: string
}
