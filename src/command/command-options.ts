/** The options of `command`, in one table. */
import { isDuration, isIntegerFrom, isObject, isOneOf, type OptionTable } from '../define/option-table.ts'
import { type Framing, isFraming, MOST_FRAME_BYTES } from './framing.ts'

/** 'stream': it gives what it gives; 'one-to-one': one output for each item, in their order. */
export type Mapping = 'stream' | 'one-to-one'

export interface CommandOptions<
  Input extends Framing = Framing,
  Output extends Framing = Framing,
  M extends Mapping = Mapping,
> {
  /** The program: a name to be found in PATH, or a path. */
  program: string
  /** Its arguments, each as it is: there is no shell. Default: none. */
  args?: readonly string[]
  /** How items lie in its standard input; a source's is empty. Default 'lines'. */
  input?: Input
  /** How items lie in its standard output; a sink's is read and dropped. Default 'lines'. */
  output?: Output
  /** What its outputs have to do with its items. Default 'stream'. */
  mapping?: M
  /** Its working directory. Default: ours. */
  cwd?: string | URL
  /** Variables in addition to our environment; `undefined` takes one away. */
  env?: Readonly<Record<string, string | undefined>>
  /** Exit statuses that are no failure. Default [0]. */
  exitCodes?: readonly number[]
  /** Whether what it says on stderr is kept for an error's message alone, or goes to `ctx.log.info` too. Default 'keep'. */
  stderr?: 'keep' | 'log'
  /** Longest frame of its output, in bytes. Default 16 MiB. */
  maxFrameBytes?: number
  /** How long it has after SIGTERM before it is killed, in milliseconds. Default 1,000. */
  killMs?: number
}

const framing = {
  expected: '"lines", "ndjson", "length-prefixed", "chunks" or { bytes: N }',
  isValid: isFraming,
  default: 'lines',
} as const
const noZero = (text: unknown): boolean => typeof text === 'string' && !text.includes('\0')

export const COMMAND_OPTIONS = {
  program: {
    expected: 'the name or path of a program',
    isValid: (value) => noZero(value) && value !== '',
    isRequired: true,
    doc: 'The program: a name to be found in PATH, or a path.',
  },
  args: {
    expected: 'an array of strings without null characters',
    isValid: (value) => Array.isArray(value) && value.every(noZero),
    default: [],
    doc: 'Its arguments, each as it is: there is no shell.',
  },
  input: { ...framing, doc: "How items lie in its standard input; a source's is empty." },
  output: { ...framing, doc: "How items lie in its standard output; a sink's is read and dropped." },
  mapping: {
    expected: '"stream" or "one-to-one"',
    isValid: isOneOf('stream', 'one-to-one'),
    default: 'stream',
    doc: 'What its outputs have to do with its items.',
  },
  cwd: {
    expected: 'the path of a directory',
    isValid: (value) => value instanceof URL || (noZero(value) && value !== ''),
    doc: 'Its working directory.',
  },
  env: {
    expected: 'an object of strings',
    isValid: (value) =>
      isObject(value) && Object.values(value).every((text) => text === undefined || noZero(text)),
    doc: 'Variables in addition to our environment.',
  },
  exitCodes: {
    expected: 'an array of integers from 0 to 255',
    isValid: (value) => Array.isArray(value) && value.every(isIntegerFrom(0, 255)),
    default: [0],
    doc: 'Exit statuses that are no failure.',
  },
  stderr: {
    expected: '"keep" or "log"',
    isValid: isOneOf('keep', 'log'),
    default: 'keep',
    doc: 'Whether its stderr is kept for an error alone, or goes to ctx.log.info too.',
  },
  maxFrameBytes: {
    expected: 'an integer from 1 to 2,146,435,072',
    isValid: isIntegerFrom(1, MOST_FRAME_BYTES),
    default: 16 * 2 ** 20,
    unit: 'bytes',
    doc: 'Longest frame of its output.',
  },
  killMs: {
    expected: 'a number of milliseconds, 0 or more',
    isValid: isDuration,
    default: 1_000,
    unit: 'ms',
    doc: 'How long it has after SIGTERM before it is killed.',
  },
} as const satisfies OptionTable
