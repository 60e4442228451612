/** The options of a pipeline's module: checked against its table, before any thread starts. */
import type { PipelineOption, PipelineOptionTable } from '../define/define-pipeline.ts'
import { MillraceError, show, unknownOption } from '../errors.ts'

/**
 * The options that the module's function gets.
 * @throws MILLRACE_UNKNOWN_OPTION, MILLRACE_MISSING_OPTION, MILLRACE_INVALID_OPTION
 */
export function fillPipelineOptions(
  table: PipelineOptionTable,
  given: Readonly<Record<string, unknown>>,
  subject: string,
): Record<string, unknown> {
  for (const option of Object.keys(given)) {
    if (!Object.hasOwn(table, option)) throw unknownOption(subject, option, Object.keys(table))
  }
  const filled: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(table)) {
    const value = given[name] ?? option.default
    if (value !== undefined) filled[name] = checkValue(subject, name, option, value)
    else if (option.optional !== true) throw missingOption(subject, name, Object.keys(table))
  }
  return filled
}

export function missingOption(subject: string, option: string, known: string[]): MillraceError {
  return new MillraceError(
    'MILLRACE_MISSING_OPTION',
    `${subject}: option "${option}" is missing; known are ${known.join(', ')}`,
    { option },
  )
}

/** What a valid value is, as it stands in messages and in --help. */
export function describeOption(option: PipelineOption): string {
  const { type, min, max } = option
  const name = { string: 'a string', boolean: 'true or false', number: 'a number', integer: 'an integer' }[
    type
  ]
  if (min !== undefined && max !== undefined) return `${name} from ${min} to ${max}`
  if (min !== undefined) return `${name}, ${min} or more`
  return max === undefined ? name : `${name}, ${max} or less`
}

function checkValue(subject: string, name: string, option: PipelineOption, value: unknown): unknown {
  const isType =
    option.type === 'integer'
      ? Number.isSafeInteger(value)
      : typeof value === option.type && !Number.isNaN(value)
  const isInRange =
    typeof value !== 'number' ||
    (value >= (option.min ?? Number.NEGATIVE_INFINITY) && value <= (option.max ?? Number.POSITIVE_INFINITY))
  if (isType && isInRange) return value
  throw new MillraceError(
    'MILLRACE_INVALID_OPTION',
    `${subject}: option "${name}" must be ${describeOption(option)}, got ${show(value)}`,
    { option: name },
  )
}
