/** From the arguments after FILE to the options that the pipeline's function gets. */
import { parseArgs } from 'node:util'
import type { PipelineOption, PipelineOptionTable } from '../define/define-pipeline.ts'
import { unknownOption } from '../errors.ts'
import { fillPipelineOptions } from '../plan/pipeline-options.ts'
import { usage } from './command-line.ts'
import type { KnownOptions } from './known-options.ts'

type Types = Record<string, { type: 'boolean' | 'string' }>

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * What was given, typed and checked; defaults are left to the pipeline.
 * @param subject what the options belong to, for messages
 * @throws MILLRACE_USAGE, MILLRACE_UNKNOWN_OPTION, MILLRACE_MISSING_OPTION, MILLRACE_INVALID_OPTION
 */
export function readOptions(
  args: readonly string[],
  { table, isOpen }: KnownOptions,
  subject: string,
): Record<string, unknown> {
  const types = isOpen ? { ...guessTypes(args), ...typesOf(table) } : typesOf(table)
  const { tokens } = parseArgs({
    args: [...args],
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given = new Map<string, unknown>()
  for (const token of tokens) {
    if (token.kind === 'positional') throw usage(`${subject}: unexpected argument "${token.value}"`)
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const isLong = rawName.startsWith('--')
    if (isLong && Object.hasOwn(types, name)) {
      const type = types[name].type
      if (type === 'string') checkHasValue(subject, rawName, value, inlineValue)
      given.set(name, type === 'boolean' && value === undefined ? true : typed(table[name], value as string))
    } else if (isLong && isNegation(name, types)) given.set(name.slice(3), false)
    else throw unknownOption(subject, isLong ? name : rawName, Object.keys(table))
  }
  return check(Object.fromEntries(given), table, subject)
}

function typesOf(table: PipelineOptionTable): Types {
  const entries = Object.entries(table).map(
    ([name, { type }]) => [name, { type: type === 'boolean' ? 'boolean' : 'string' }] as const,
  )
  return Object.fromEntries(entries)
}

/** Where nothing is known: an option is a flag unless a value follows. */
function guessTypes(args: readonly string[]): Types {
  const types: Types = {}
  for (const [index, arg] of args.entries()) {
    if (!arg.startsWith('--')) continue
    const [name] = arg.slice(2).split('=', 1)
    const next = args[index + 1]
    const hasValue = arg.includes('=') || (next !== undefined && !looksLikeOption(next))
    if (hasValue || !name.startsWith('no-')) types[name] ??= { type: hasValue ? 'string' : 'boolean' }
    else types[name.slice(3)] ??= { type: 'boolean' }
  }
  return types
}

function isNegation(name: string, types: Types): boolean {
  if (!name.startsWith('no-')) return false
  const of = name.slice(3)
  return Object.hasOwn(types, of) && types[of].type === 'boolean'
}

function checkHasValue(
  subject: string,
  rawName: string,
  value: string | undefined,
  isInline: boolean | undefined,
): void {
  if (value === undefined) throw usage(`${subject}: option ${rawName} needs a value`)
  if (isInline || !looksLikeOption(value)) return
  throw usage(`${subject}: option ${rawName} needs a value; if it is "${value}", write ${rawName}=${value}`)
}

function looksLikeOption(arg: string): boolean {
  return arg.length > 1 && arg.startsWith('-') && !NUMBER.test(arg)
}

/** Text that is not what the type asks for stays text: the check names it. */
function typed(option: PipelineOption | undefined, text: string): unknown {
  if (option?.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  const isNumber = option?.type === 'number' || option?.type === 'integer'
  return isNumber && NUMBER.test(text) ? Number(text) : text
}

function check(
  given: Record<string, unknown>,
  table: PipelineOptionTable,
  subject: string,
): Record<string, unknown> {
  const known = Object.entries(given).filter(([name]) => Object.hasOwn(table, name))
  fillPipelineOptions(table, Object.fromEntries(known), subject)
  return given
}
