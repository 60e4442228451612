/**
 * The bytes of a record: one tag per value, then what the tag calls for.
 *
 * A record lives only in the memory of one process and is read by the build that wrote it, so the layout
 * has no version and numbers are in the byte order of the machine.
 * Objects get numbers in the order in which they begin; REFERENCE names an earlier one.
 * 0 is no tag, so that memory nobody wrote is found out.
 */

/** Ends the entries of a Map, a Set; stands where a value would. */
export const END = 1
/** Ends the dense front of an ARRAY_KEYED; stands where an element would. */
export const HOLE = 2
export const UNDEFINED = 3
export const NULL = 4
export const TRUE = 5
export const FALSE = 6
/** 4 bytes. */
export const INT32 = 7
/** 8 bytes. */
export const DOUBLE = 8
/** 8 bytes, two's complement. */
export const BIGINT64 = 9
/** TRUE or FALSE for the sign (TRUE is negative), then the magnitude as a text of hexadecimal digits. */
export const BIGINT = 10
/** Length, then one byte per UTF-16 unit. */
export const LATIN1 = 11
/** Length in bytes, then two bytes per UTF-16 unit; lone surrogates are nothing special. */
export const UTF16 = 12
/** A number. */
export const REFERENCE = 13
/** Properties. */
export const OBJECT = 14
/** Length, then as many values. */
export const ARRAY = 15
/** Length, then values up to the first hole and HOLE (or all of them), then properties. */
export const ARRAY_KEYED = 16
/** Keys and values in turn, then END. */
export const MAP = 17
/** Values, then END. */
export const SET = 18
/** 8 bytes: milliseconds, NaN for an invalid date. */
export const DATE = 19
/** Two texts: source, flags. */
export const REGEXP = 20
/** A primitive. */
export const BOXED = 21
/** A byte: place in BINARY_KINDS; length; bytes. */
export const BINARY = 22
/** A byte: place in ERROR_KINDS; message, name, stack (each a text or UNDEFINED); hidden, then plain properties. */
export const ERROR = 23
/** A byte: place in BINARY_KINDS; then pool, first byte and length of what a view shows of a slab. */
export const SLAB = 24
/** Elements of an array. A byte: how many; a byte for the length of each; then one byte per unit of them all. */
export const TEXTS = 25
/** 0x40 to 0x7f: an object of one of 64 shapes (shape-table.ts): the values of its keys. */
export const SHAPE = 0x40
/** 0x80 to 0xbf: a LATIN1 of 0 to 63 units. */
export const SHORT_TEXT = 0x80
/** 0xc0 to 0xff: an integer from 0 to 63. */
export const SMALL_INT = 0xc0
export const SMALL_MAX = 63

/** Where a key is due: up to here, the length of a key of one-byte units, which follow. */
export const KEY_SHORT_MAX = 64
/** Where a key is due: a text follows. */
export const KEY_TEXT = 0xfe
/** Where a key is due: there are no more. */
export const KEYS_END = 0xff

/** Containers within containers. Bounds the stack on both sides. */
export const MAX_DEPTH = 1000
/** Errors within errors: each takes several times the stack of another container. */
export const MAX_ERROR_DEPTH = 100

export const BINARY_KINDS = [
  'ArrayBuffer',
  'Buffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
]

export const ERROR_KINDS = [
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'EvalError',
  'URIError',
  'AggregateError',
  'DOMException',
  'MillraceError',
]
