/** The form of an option table: each option once, with its type, default, unit, check and doc line. */
import type { StageKind } from './stage-definition.ts'

export interface OptionEntry {
  /** What a valid value is, as it stands in an error message: "must be ...". */
  readonly expected: string
  readonly isValid: (value: unknown) => boolean
  /** Left out: the option has no default. */
  readonly default?: unknown
  /** It must be given; where it is a field, if its object is. */
  readonly isRequired?: true
  readonly unit?: 'ms' | 'items' | 'bytes' | 'MiB'
  /** A value that is an object has these fields. */
  readonly fields?: OptionTable
  /** What each value of an object with names of the user's own is. */
  readonly each?: OptionEntry
  /** Kinds of stage that do not have it: why. */
  readonly notFor?: { readonly [K in StageKind]?: string }
  readonly doc: string
}

export interface OptionTable {
  readonly [option: string]: OptionEntry
}

export const isIntegerFrom =
  (min: number, max: number) =>
  (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
export const isNumberFrom =
  (min: number, max: number) =>
  (value: unknown): boolean =>
    typeof value === 'number' && value >= min && value <= max
/** Infinity is a duration: for ever. */
export const isDuration = isNumberFrom(0, Number.POSITIVE_INFINITY)
export const isLongerThanNothing = isNumberFrom(Number.MIN_VALUE, Number.POSITIVE_INFINITY)
export const isFunction = (value: unknown): boolean => typeof value === 'function'
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isOneOf =
  (...names: string[]) =>
  (value: unknown): boolean =>
    names.includes(value as string)
