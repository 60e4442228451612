/** Checks options against their table and fills in the defaults. */
import type { OptionTable } from '../define/option-table.ts'
import { invalidOption, unknownOption } from '../errors.ts'

/**
 * @param subject what the options belong to, for the message: `stage "resize"`
 * @throws MILLRACE_UNKNOWN_OPTION, MILLRACE_INVALID_OPTION
 */
export function checkOptions(
  subject: string,
  table: OptionTable,
  given: unknown,
  stage?: string,
): Record<string, unknown> {
  if (typeof given !== 'object' || given === null)
    throw invalidOption(subject, 'options', 'an object', given, stage)
  const filled: Record<string, unknown> = {}
  for (const [option, entry] of Object.entries(table)) {
    if (entry.default !== undefined) filled[option] = entry.default
  }
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(table, option)) throw unknownOption(subject, option, Object.keys(table), stage)
    if (!table[option].isValid(value))
      throw invalidOption(subject, option, table[option].expected, value, stage)
    filled[option] = value
  }
  return filled
}
