/** Checks options against their table and fills in the defaults. */
import { isObject, type OptionEntry, type OptionTable } from '../define/option-table.ts'
import { invalidOption, unknownOption } from '../errors.ts'

type Values = Record<string, unknown>

/**
 * @param subject what the options belong to, for the message: `stage "resize"`
 * @param within the option whose fields they are
 * @throws MILLRACE_UNKNOWN_OPTION, MILLRACE_INVALID_OPTION
 */
export function checkOptions(
  subject: string,
  table: OptionTable,
  given: unknown,
  stage?: string,
  within?: string,
): Values {
  if (!isObject(given)) throw invalidOption(subject, within ?? 'options', 'an object', given, stage)
  const values = given as Values
  const nameOf = (option: string): string => (within === undefined ? option : `${within}.${option}`)
  for (const option of Object.keys(values)) {
    if (values[option] === undefined || Object.hasOwn(table, option)) continue
    throw unknownOption(subject, nameOf(option), Object.keys(table), stage)
  }
  const filled: Values = {}
  for (const [option, entry] of Object.entries(table)) {
    const value = checkOption(subject, nameOf(option), entry, values[option], stage)
    if (value !== undefined) filled[option] = value
  }
  return filled
}

/** The value, or the default; of an object whose fields are known, a copy with all of them. */
function checkOption(
  subject: string,
  name: string,
  entry: OptionEntry,
  value: unknown,
  stage: string | undefined,
): unknown {
  if (value === undefined && entry.isRequired !== true) return entry.default
  if (!entry.isValid(value)) throw invalidOption(subject, name, entry.expected, value, stage)
  if (!isObject(value)) return value
  const { fields, each } = entry
  if (fields !== undefined) return checkOptions(subject, fields, value, stage, name)
  if (each === undefined) return value
  const checked = Object.entries(value).map(([key, one]) => [
    key,
    checkOption(subject, `${name}.${key}`, each, one, stage),
  ])
  return Object.fromEntries(checked)
}
