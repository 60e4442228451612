/** What a worker's thread and its process say to each other. */
import type { WireError } from '../../errors.ts'
import type { LogLevel, TraceTask } from '../notice.ts'
import type { StageLocator } from '../stage-locator.ts'
import type { ContextPlace } from '../worker-context.ts'

// Thread -> process.
/** ProcessTask: the first message. */
export const TASK = 1
/** [item, attempt, value]: a question, answered by OUTPUTs and one DONE. */
export const ITEM = 2
/** A question: the end of the stream. */
export const FLUSH = 3
/** A question: what does the source give? */
export const READ = 4
/** So many more outputs of this answer may be sent. */
export const MORE = 5
/** The rest of this answer is not wanted. */
export const CANCEL = 6
/** 'drain' or 'abort'. */
export const STOP = 7
/** No more questions. Answered by CLOSED. */
export const CLOSE = 8

// Process -> thread.
/** WireError or undefined. */
export const OPENED = 16
/** A value. */
export const OUTPUT = 17
/** Done, how the answer ends. */
export const DONE = 18
/** WireError or undefined. */
export const CLOSED = 19
/** A notice has been written into the other pipe: it comes before whatever follows here. */
export const TOLD = 20
/** In the other pipe. */
export const NOTICE = 21

/** What a process is told. */
export interface ProcessTask {
  locator: StageLocator
  place: ContextPlace
  concurrency: number
  timeoutMs: number | undefined
  nice: number | undefined
  /** What the logger of the run wants to hear; undefined: there is none. */
  levels: readonly LogLevel[] | undefined
  /** Which items are traced; undefined: none. */
  trace: TraceTask | undefined
}

export interface Done {
  /** The stage has ended the stream. */
  hasEnded?: true
  /** It was not begun, or cut short, because the run is over. */
  isStopped?: true
  error?: WireError
  /** How long it took in milliseconds, and how many items that stands for: if it was measured. */
  service?: readonly [ms: number, items: number]
}

/** Outputs of one answer that may be under way, or wait to be taken. */
export const CREDIT = 64

/** The place, among the inherited descriptors, of the pipe to the process. */
export const QUESTIONS_FD = 3
/** Of that from the process. */
export const ANSWERS_FD = 4
/** And of the one for notices, if the run wants any. */
export const NOTICES_FD = 5
