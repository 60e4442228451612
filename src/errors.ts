/**
 * Every error Millrace raises, in one table: its code, and what to do about it.
 *
 * Match on `error.code`, never on the class or the message: classes do not survive a thread border.
 * This file also holds the form in which any error crosses threads (`errorToWire`, `errorFromWire`),
 * because `structuredClone` drops an error's code, name, class and own fields.
 */
import { inspect } from 'node:util'

/** Code -> what to do. A message is made where the error is raised; it names the stage and the value. */
export const ADVICE = {
  // Wrong use, known before any thread starts.
  MILLRACE_INVALID_OPTION: 'Correct the option.',
  MILLRACE_UNKNOWN_OPTION: 'Remove the option, or correct its name.',
  MILLRACE_MISSING_OPTION: 'Give the option, or give it a default in the pipeline.',
  MILLRACE_INVALID_STAGE:
    'A stage is a function, a generator function, or an object with a `process` function.',
  MILLRACE_DUPLICATE_STAGE: 'Give every stage of a pipeline a name of its own.',
  MILLRACE_NO_SOURCE: 'Begin the pipeline with .source(), or call start() with { input }.',
  MILLRACE_NO_SINK: 'End the pipeline with .sink(), or read the run with `for await`.',
  MILLRACE_MISPLACED_STAGE: 'Every path is one source, then stages, then one sink.',
  MILLRACE_NO_MODULE:
    'Export the pipeline from a module with definePipeline(import.meta.url, ...), or put its stages on: "loop".',
  MILLRACE_MODULE_NOT_FOUND: 'Check the path.',
  MILLRACE_MODULE_FAILED: 'The module could not be loaded; see the cause.',
  MILLRACE_NO_DEFAULT_EXPORT:
    'Export the pipeline as the default export of its module, or a function that returns it.',
  MILLRACE_NOT_A_PIPELINE: 'Return what pipeline() built.',
  MILLRACE_TYPESCRIPT: 'Install tsx (npm i -D tsx), use Node 22.18 or later, or compile the file.',
  MILLRACE_STAGE_NOT_FOUND:
    'A pipeline must be the same in every thread: its definition may not depend on time or chance.',
  MILLRACE_USAGE: 'See millrace --help.',
  MILLRACE_INVALID_BRANCH: 'A branch is a function: return what it makes of the pipeline that it is given.',
  MILLRACE_INVALID_MERGE: 'Merge pipelines that begin with a source of their own and do not end in a sink.',
  MILLRACE_NO_DEAD_LETTERS: 'Say where they go: .deadLetters(file), or the run option deadLetters.',
  MILLRACE_TOO_MANY_SOURCES: 'Read several inputs in one source.',
  MILLRACE_TOO_MANY_WORKERS: 'Give the stages fewer workers, or merge fewer branches in one place.',
  // Queues.
  MILLRACE_NOT_CLONEABLE: 'Send plain data: what structuredClone accepts.',
  MILLRACE_ITEM_TOO_LARGE: 'Raise capacityBytes, or send smaller items.',
  MILLRACE_END_TAKEN: 'Declare more producers or consumers when the queue is made.',
  MILLRACE_PRODUCER_GONE: 'A producer ended without sending SENTINEL; find out why its thread ended.',
  MILLRACE_STOP_NOT_LINKED: 'Give the stop event to the queue when it is made: new BoundedQueue({ stop }).',
  MILLRACE_BAD_HANDLE: 'Pass what `handle` gave, unchanged, inside one process.',
  MILLRACE_SLAB_RELEASED:
    'Pass memory of ctx.alloc on in the call that made or got it, and once; keep a copy: view.slice().',
  MILLRACE_CORRUPT_RECORD: 'Something wrote into memory that belongs to a queue; please report it.',
  MILLRACE_MODEL_FAILED: 'Install onnxruntime-node if it is missing; see the cause.',
  MILLRACE_MODEL_MISMATCH:
    'Correct the names, types or dims of inputs and outputs, or take the model that they are of.',
  MILLRACE_MEDIA_FAILED:
    'Install ffmpeg if there is none; else see its words: it is run by hand with the same file.',
  // A run.
  MILLRACE_STAGE_FAILED: 'The process function threw; see the cause.',
  MILLRACE_UNKNOWN_BRANCH: 'The function given to .route() must return the name of one of its branches.',
  MILLRACE_OPEN_FAILED: 'The `open` function of the stage threw; see the cause.',
  MILLRACE_FLUSH_FAILED: 'The `flush` function of the stage threw; see the cause.',
  MILLRACE_CLOSE_FAILED: 'The `close` function of the stage threw; see the cause.',
  MILLRACE_COMMAND_FAILED: 'See its words on stderr; run it by hand with the same arguments.',
  MILLRACE_BAD_FRAME:
    'Choose the framing that fits what the program reads and writes; what is encoded must be as the message says.',
  MILLRACE_SOURCE_FAILED: 'The source threw; see the cause.',
  MILLRACE_WORKER_DIED: 'The worker ended without finishing. Nothing in a stage may call process.exit().',
  MILLRACE_WORKER_OUT_OF_MEMORY: 'Give the worker more memory, smaller batches or a smaller capacity.',
  MILLRACE_WORKER_STUCK:
    'In a thread, native code of the stage is blocking: only a signal can end the process. On the loop, let what the stage awaits end with ctx.signal.',
  MILLRACE_WORKER_TERMINATED:
    'The worker did not stop within abortMs and was terminated; check ctx.signal in long work.',
  MILLRACE_POISON_ITEM:
    'The item ends its worker each time it is processed. Look at the item; raise poisonAfter to try it more often.',
  MILLRACE_ITEM_TIMEOUT: 'Raise timeoutMs, or let the stage end its work with ctx.signal.',
  MILLRACE_TOO_MANY_FAILURES: 'More items failed than maxFailures allows; see the failures of the stage.',
  MILLRACE_START_TIMEOUT: 'A stage took too long to import or open; raise startMs.',
  MILLRACE_ABORTED: 'The run was aborted.',
  MILLRACE_OUTPUT_UNREAD:
    'Read the outputs with `for await (const out of run)`, or end the pipeline with .sink().',
  MILLRACE_ACK_FAILED: 'The `ack` or `nack` of an item threw; see the cause.',
  MILLRACE_BAD_CHECKPOINT:
    'A checkpoint holds a JSON value. Correct the position, or delete the file to begin from the start.',
  MILLRACE_CHECKPOINT_FAILED: 'See that the directory is there, can be written to and is not full.',
  MILLRACE_DEAD_LETTERS_FAILED: 'See that the directory is there, can be written to and is not full.',
  MILLRACE_RUN_FAILED: 'See `failures`.',
  MILLRACE_SIMULATION_STUCK:
    'Something is waited for that never comes: look at what waits on what; a longer run needs a higher limitMs.',
  MILLRACE_MISSING_PEER: 'Install the package that the message names.',
  MILLRACE_STATE: 'Each run is started once; make a new one.',
  MILLRACE_BUG: 'This is a bug in Millrace; please report it.',
} as const

export type MillraceErrorCode = keyof typeof ADVICE

/** What an error may say about where it happened. */
export interface ErrorPlace {
  stage?: string
  /** Number of the worker within its stage, from 0. */
  worker?: number
  /** Number of the item at the source, from 1. */
  item?: number
  option?: string
}

/** An error of Millrace's own. Match on `code`. */
export class MillraceError extends Error {
  override name = 'MillraceError'
  readonly code: MillraceErrorCode
  declare readonly stage?: string
  declare readonly worker?: number
  declare readonly item?: number
  declare readonly option?: string

  constructor(code: MillraceErrorCode, message: string, place: ErrorPlace & { cause?: unknown } = {}) {
    super(message, 'cause' in place ? { cause: place.cause } : undefined)
    this.code = code
    const { cause: _, ...where } = place
    Object.assign(this, where)
  }

  /** What to do about it. */
  get advice(): string {
    return ADVICE[this.code]
  }
}

/** A run that failed: what went wrong, and the report of what came of it all the same. */
export class PipelineError<Failure = unknown, Report = unknown> extends MillraceError {
  override name = 'PipelineError'
  readonly failures: readonly Failure[]
  readonly report: Report

  constructor(message: string, failures: readonly Failure[], report: Report, cause?: unknown) {
    super('MILLRACE_RUN_FAILED', message, cause === undefined ? {} : { cause })
    this.failures = failures
    this.report = report
  }
}

/** An impossible state. */
export function bug(message: string): MillraceError {
  return new MillraceError('MILLRACE_BUG', `bug: ${message}. Please report this.`)
}

/** `stage "resize": workers must be a positive integer, got 0`. */
export function invalidOption(
  subject: string,
  option: string,
  expected: string,
  got: unknown,
  stage?: string,
): MillraceError {
  return new MillraceError(
    'MILLRACE_INVALID_OPTION',
    `${subject}: ${option} must be ${expected}, got ${show(got)}`,
    stage === undefined ? { option } : { option, stage },
  )
}

/** `stage "resize": unknown option "capasity"; known are on, capacity`. */
export function unknownOption(
  subject: string,
  option: string,
  known: readonly string[],
  stage?: string,
): MillraceError {
  const list = known.length === 0 ? 'it takes none' : `known are ${known.join(', ')}`
  return new MillraceError('MILLRACE_UNKNOWN_OPTION', `${subject}: unknown option "${option}"; ${list}`, {
    option,
    ...(stage === undefined ? {} : { stage }),
  })
}

/** @throws MILLRACE_UNKNOWN_OPTION, MILLRACE_INVALID_OPTION if it is no object */
export function checkKnown(subject: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw invalidOption(subject, 'options', 'an object', options)
  for (const option of Object.keys(options)) {
    if (!known.includes(option)) throw unknownOption(subject, option, known)
  }
}

/** A value as it may stand in a message: one line, no control characters, at most 80 characters. */
export function show(value: unknown): string {
  const text = inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    maxStringLength: 60,
    maxArrayLength: 5,
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ' ')
  return clean.length > 80 ? `${clean.slice(0, 77)}...` : clean
}

/** An error as plain data, fit for any thread border. */
export interface WireError {
  name: string
  message: string
  stack?: string
  cause?: WireError | { value: unknown }
  errors?: WireError[]
  /** Other own fields that are plain data. */
  fields?: Record<string, unknown>
  /** The built-in class to revive it as. */
  type: string
}

const BUILT_IN: Record<string, ErrorConstructor> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}
const MAX_CAUSES = 16
const RESERVED = new Set(['name', 'message', 'stack', 'cause', 'errors'])

const UNREADABLE = 'a value that cannot be read'

/**
 * Turns whatever was thrown into plain data. A value that is no Error keeps its text as the message.
 * Never throws: what cannot be read is left out. An error that leads back to itself is told of once.
 */
export function errorToWire(thrown: unknown, within: readonly unknown[] = []): WireError {
  const wire = attempt(() => (thrown instanceof Error ? describeError(thrown, within) : undefined))
  if (wire !== undefined) return wire
  const text = typeof thrown === 'string' ? thrown : attempt(() => inspect(thrown, { depth: 2 }))
  return {
    name: 'Error',
    message: `a value that is no Error was thrown: ${text ?? UNREADABLE}`,
    type: 'Error',
  }
}

function describeError(thrown: Error, within: readonly unknown[]): WireError {
  const wire: WireError = {
    name: attempt(() => String(thrown.name)) ?? 'Error',
    message: attempt(() => String(thrown.message)) ?? UNREADABLE,
    type: attempt(() => builtInType(thrown)) ?? 'Error',
  }
  const stack = attempt(() => thrown.stack)
  if (typeof stack === 'string') wire.stack = stack
  const path = [...within, thrown]
  const isNew = (error: unknown): boolean => path.length <= MAX_CAUSES && !path.includes(error)
  const cause = attempt(() => thrown.cause)
  if (cause !== undefined && isNew(cause)) wire.cause = describeCause(cause, path)
  const errors: unknown = attempt(() => (thrown instanceof AggregateError ? thrown.errors : undefined))
  const listed = attempt(() => (Array.isArray(errors) ? Array.from<unknown>(errors) : undefined))
  if (listed !== undefined) wire.errors = listed.filter(isNew).map((error) => errorToWire(error, path))
  const fields = (attempt(() => Object.keys(thrown)) ?? []).flatMap((key) => describeField(thrown, key))
  if (fields.length > 0) wire.fields = Object.fromEntries(fields)
  return wire
}

function describeCause(cause: unknown, path: readonly unknown[]): WireError | { value: unknown } {
  if (attempt(() => cause instanceof Error)) return errorToWire(cause, path)
  const copy = attempt(() => copyPlain(cause, 4))
  return copy ?? { value: attempt(() => show(cause)) ?? UNREADABLE }
}

function describeField(error: Error, key: string): [key: string, value: unknown][] {
  if (RESERVED.has(key)) return []
  const copy = attempt(() => copyPlain((error as unknown as Record<string, unknown>)[key], 4))
  return copy === undefined ? [] : [[key, copy.value]]
}

/** What user code gives, or `undefined` if it throws: a getter, a proxy, an `inspect` of its own. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The error that `errorToWire` described, with its name, code, cause, stack and plain fields. */
export function errorFromWire(wire: WireError): Error {
  const error = revive(wire)
  if (error.name !== wire.name) define(error, 'name', wire.name)
  define(error, 'stack', wire.stack ?? `${wire.name}: ${wire.message}`)
  if (wire.cause !== undefined) {
    define(error, 'cause', 'message' in wire.cause ? errorFromWire(wire.cause) : wire.cause.value)
  }
  for (const [key, value] of Object.entries(wire.fields ?? {})) {
    Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true })
  }
  return error
}

function revive(wire: WireError): Error {
  if (wire.errors !== undefined) return new AggregateError(wire.errors.map(errorFromWire), wire.message)
  const code = wire.fields?.code
  if (wire.name === 'MillraceError' && typeof code === 'string' && Object.hasOwn(ADVICE, code)) {
    return new MillraceError(code as MillraceErrorCode, wire.message)
  }
  return new (BUILT_IN[wire.type] ?? Error)(wire.message)
}

function builtInType(error: Error): string {
  for (let proto = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const name = proto.constructor?.name
    if (typeof name === 'string' && BUILT_IN[name]?.prototype === proto) return name
  }
  return 'Error'
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, writable: true, configurable: true })
}

/** A copy that `structuredClone` accepts, also of what it would not: a proxy, a getter. @throws what getters throw */
function copyPlain(value: unknown, depth: number): { value: unknown } | undefined {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : { value }
  }
  if (depth === 0) return undefined
  if (Array.isArray(value)) {
    const entries: unknown[] = []
    for (let index = 0; index < value.length; index++) {
      const copy = copyPlain(value[index], depth - 1)
      if (copy === undefined) return undefined
      entries.push(copy.value)
    }
    return { value: entries }
  }
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto !== Object.prototype && proto !== null) return undefined
  const fields: [key: string, value: unknown][] = []
  for (const [key, field] of Object.entries(value)) {
    const copy = copyPlain(field, depth - 1)
    if (copy === undefined) return undefined
    fields.push([key, copy.value])
  }
  return { value: Object.fromEntries(fields) }
}
