/** The texts of --help. */
import type { PipelineOption } from '../define/define-pipeline.ts'
import { printableLine, printableText } from '../observe/printable.ts'
import { describeOption } from '../plan/pipeline-options.ts'
import { type CommandName, OWN_OPTIONS, type OwnOption } from './command-line.ts'
import type { KnownOptions } from './known-options.ts'

export const USAGE = `Usage: millrace <command> FILE [options]

  millrace run FILE [--option value ...]     Run the pipeline that FILE exports.
  millrace graph FILE [--option value ...]   Print its stages and queues.
  millrace stress [--seconds N] [--seed S]   Run random pipelines with faults; check that nothing is lost.
  millrace run FILE --help                   List the options of the pipeline in FILE.
  millrace --version

FILE is a JavaScript or TypeScript module. Its default export is a pipeline, or a function of
options that returns one.
`

const RULES = `The options of the pipeline come after FILE: --name value, --name=value, --flag, --no-flag.
What follows -- is the pipeline's, also where millrace has an option of the same name.
`

const EXIT_CODES = `Exit codes: 0 completed, 1 failed, 2 wrong usage or invalid pipeline, 130 ended by Ctrl-C,
143 ended by SIGTERM. The first Ctrl-C drains the run, the second aborts it, the third exits at once.
`

const STRESS = `Usage: millrace stress [options]

Runs random pipelines, two or more at a time, in which things go wrong, until its time is over. Of each it
checks that every item has one outcome, that nothing is lost, doubled or out of order, that it ends, and that it
leaves nothing behind.

Faults: throw: a stage throws. exit: it calls process.exit(). terminate: a thread is terminated from outside.
oom: a thread runs out of memory. hang: a stage never returns. sigint: a command line gets Ctrl-C.
`

const STRESS_CODES = `Exit codes: 0 nothing is wrong, 1 something is: the seed that repeats it is printed, 2 wrong usage,
130 ended by Ctrl-C.
`

/** `millrace run --help`. */
export function commandHelp(command: CommandName): string {
  if (command === 'stress') return [STRESS, ownOptions(command), STRESS_CODES].join('\n')
  const parts = [`Usage: millrace ${command} FILE [--option value ...]\n`, ownOptions(command), RULES]
  if (command === 'run') parts.push(EXIT_CODES)
  return parts.join('\n')
}

/** `millrace run FILE --help`. */
export function pipelineHelp(command: CommandName, file: string, known: KnownOptions): string {
  const usage = `Usage: millrace ${command} ${printableLine(file)} [--option value ...]\n`
  return [usage, pipelineOptions(command, known), ownOptions(command), RULES].join('\n')
}

function pipelineOptions(command: CommandName, { table, isOpen, expressions }: KnownOptions): string {
  const rows = Object.entries(table).map(([name, option]): [string, string] => {
    const isOurs = Object.hasOwn(OWN_OPTIONS[command], name)
    const doc = [
      option.doc ?? '',
      describeNeed(option, expressions[name]),
      isOurs ? '(Give it after --.)' : '',
    ]
    return [usageOf(name, option), doc.filter((part) => part !== '').join(' ')]
  })
  if (isOpen)
    rows.push(['--name <value>', rows.length > 0 ? 'Others are taken too.' : 'Any option is taken.'])
  if (rows.length === 0) return 'The pipeline takes no options.\n'
  return `Options of the pipeline:\n${printableText(listRows(rows))}`
}

function usageOf(name: string, option: PipelineOption): string {
  if (option.type === 'boolean') return `--${option.default === true ? 'no-' : ''}${name}`
  return `--${name} <${option.type}>`
}

/** `Required.`, or the default; and the range. */
function describeNeed(option: PipelineOption, expression: string | undefined): string {
  const hasRange = option.min !== undefined || option.max !== undefined
  const range = hasRange ? `(${describeOption(option).replace(/^an? (number|integer),? /, '')})` : ''
  const need =
    option.default !== undefined
      ? `Default: ${option.default === '' ? '""' : option.default}.`
      : expression !== undefined
        ? `Default: ${expression}.`
        : option.optional
          ? ''
          : 'Required.'
  return [range, need].filter((part) => part !== '').join(' ')
}

function ownOptions(command: CommandName): string {
  const options: Record<string, OwnOption> = OWN_OPTIONS[command]
  const rows = Object.entries(options).map(([name, { value, doc }]): [string, string] => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    doc,
  ])
  return `Options of millrace ${command}:\n${listRows(rows)}`
}

function listRows(rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows
    .map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())
    .join('\n')
    .concat('\n')
}
