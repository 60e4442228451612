/** The command line's own options and FILE; everything else is left for the pipeline. */
import { parseArgs } from 'node:util'
import { MillraceError } from '../errors.ts'
import { GRAPH_FORMATS, type GraphFormat } from '../plan/draw.ts'
import { FAULT_KINDS } from './stress/fault-kinds.ts'

export type CommandName = 'run' | 'graph' | 'stress'

export interface OwnOption {
  type: 'boolean' | 'string'
  /** What stands for its value in --help. */
  value?: string
  doc: string
}

const HELP: OwnOption = { type: 'boolean', doc: 'Print the options, those of the pipeline too.' }
const VERBOSE: OwnOption = { type: 'boolean', doc: "Print full stacks, with Millrace's own frames." }

/** The options of each command. */
export const OWN_OPTIONS = {
  run: {
    json: {
      type: 'boolean',
      doc: 'Print the report as JSON, as the last line of stdout; of an invalid pipeline, the error.',
    },
    quiet: { type: 'boolean', doc: 'No live view and no summary. Errors are printed.' },
    'deadline-ms': {
      type: 'string',
      value: 'N',
      doc: 'How long Ctrl-C waits for what was read to be finished. Default 30000.',
    },
    'metrics-port': {
      type: 'string',
      value: 'N',
      doc: 'Serve what the run counts, for Prometheus, at 127.0.0.1:N/metrics.',
    },
    verbose: VERBOSE,
    help: HELP,
  },
  graph: {
    format: { type: 'string', value: GRAPH_FORMATS.join('|'), doc: 'Default text.' },
    verbose: VERBOSE,
    help: HELP,
  },
  stress: {
    seconds: { type: 'string', value: 'N', doc: 'How long new runs are begun. Default 30.' },
    seed: {
      type: 'string',
      value: 'S',
      doc: 'Seed of the first run; each run after it adds one. Default: a new one.',
    },
    faults: {
      type: 'string',
      value: FAULT_KINDS.join(','),
      doc: 'What goes wrong; some of these, joined by commas, or "none". Default: all.',
    },
    json: { type: 'boolean', doc: 'Print the summary as JSON, as one line of stdout.' },
    verbose: VERBOSE,
    help: { type: 'boolean', doc: 'Print the options.' },
  },
} as const satisfies Record<CommandName, Record<string, OwnOption>>

export interface CommandLine {
  command: CommandName
  file: string | undefined
  /** The arguments for the pipeline. */
  rest: string[]
  json: boolean
  quiet: boolean
  verbose: boolean
  help: boolean
  deadlineMs: number | undefined
  metricsPort: number | undefined
  format: GraphFormat
  /** Of stress: as they were given. */
  seconds: string | undefined
  seed: string | undefined
  faults: string | undefined
}

/**
 * Takes our own options out of the arguments. Those of the pipeline can only be told apart once its module is loaded.
 * What follows `--` is the pipeline's, even where an option of ours has the same name.
 * @throws MILLRACE_USAGE
 */
export function readCommandLine(command: CommandName, args: readonly string[]): CommandLine {
  const end = args.indexOf('--')
  const head = end < 0 ? [...args] : args.slice(0, end)
  const tail = end < 0 ? [] : args.slice(end + 1)
  const { own, file, taken } = takeOwn(command, head)
  const rest = head.filter((_, index) => !taken.has(index))
  return {
    command,
    file: file ?? tail.shift(),
    rest: [...rest, ...tail],
    json: own.has('json'),
    quiet: own.has('quiet'),
    verbose: own.has('verbose'),
    help: own.has('help'),
    deadlineMs: readDeadline(own.get('deadline-ms')),
    metricsPort: readPort(own.get('metrics-port')),
    format: readFormat(own.get('format') ?? 'text'),
    seconds: own.get('seconds'),
    seed: own.get('seed'),
    faults: own.get('faults'),
  }
}

interface Taken {
  own: Map<string, string | undefined>
  file: string | undefined
  /** Indices of the arguments that are ours. */
  taken: Set<number>
}

function takeOwn(command: CommandName, args: string[]): Taken {
  const options: Record<string, OwnOption> = OWN_OPTIONS[command]
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const found: Taken = { own: new Map(), file: undefined, taken: new Set() }
  for (const token of tokens) {
    if (token.kind === 'positional' && found.file === undefined) {
      found.file = token.value
      found.taken.add(token.index)
    }
    if (token.kind !== 'option') continue
    const name = args[token.index] === '-h' ? 'help' : token.name
    const option =
      token.rawName === '-h' || token.rawName.startsWith('--') ? ownOption(options, name) : undefined
    if (option === undefined) {
      if (found.file === undefined)
        throw usage(`options of the pipeline come after its file: ${token.rawName}`)
      continue
    }
    if (option.type === 'boolean' && token.value !== undefined) throw usage(`--${name} takes no value`)
    if (option.type === 'string' && token.value === undefined) throw usage(`--${name} needs a value`)
    found.own.set(name, token.value)
    found.taken.add(token.index)
    if (token.inlineValue === false) found.taken.add(token.index + 1)
  }
  return found
}

function ownOption(options: Record<string, OwnOption>, name: string): OwnOption | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined
}

function readDeadline(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  throw usage(`--deadline-ms must be a number of milliseconds, 0 or more, got "${text}"`)
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw usage(`--metrics-port must be an integer from 0 to 65,535, got "${text}"`)
}

function readFormat(text: string): GraphFormat {
  const format = GRAPH_FORMATS.find((name) => name === text)
  if (format === undefined) throw usage(`--format must be ${GRAPH_FORMATS.join(', ')}, got "${text}"`)
  return format
}

/** The command was typed wrong. */
export function usage(message: string): MillraceError {
  return new MillraceError('MILLRACE_USAGE', message)
}
