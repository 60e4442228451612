/** The form of an option table: each option once, with its type, default, unit, check and doc line. */

export interface OptionEntry {
  /** What a valid value is, as it stands in an error message: "must be ...". */
  readonly expected: string
  readonly isValid: (value: unknown) => boolean
  /** Left out: the option has no default. */
  readonly default?: unknown
  readonly doc: string
}

export type OptionTable = Readonly<Record<string, OptionEntry>>

export const isPositiveInteger = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 1
export const isDuration = (value: unknown): boolean => typeof value === 'number' && value >= 0
export const isOneOf =
  (...names: string[]) =>
  (value: unknown): boolean =>
    names.includes(value as string)
