/**
 * Writes one string or number at `pos`, and returns the position behind it.
 *
 * -1 when it does not fit before `limit`; nothing at or behind `limit` is ever written.
 */
import type { RawBuffer } from './raw-buffer.ts'
import { BIGINT64, DOUBLE, INT32, LATIN1, SHORT_TEXT, SMALL_INT, SMALL_MAX, UTF16 } from './tags.ts'

/** Up to this many units a loop is faster than the call into C++. */
const LOOP_MAX = 20
/** V8 compiles it to an instant "no" for strings that it holds in one byte per unit, whatever their length. */
const WIDE = /[\u0100-\uffff]/

const float64 = new Float64Array(1)
const int64 = new BigInt64Array(float64.buffer)
const word = new Uint8Array(float64.buffer)

/** Whether not all units fit a byte; quick for a text that is in one piece. */
export function isWide(text: string): boolean {
  return WIDE.test(text)
}

/** Room for a text of this many UTF-16 units, whatever they are. */
export function textRoom(units: number): number {
  return 2 * units + 16
}

export function putText(text: string, buf: RawBuffer, pos: number, limit: number): number {
  const { length } = text
  if (length > LOOP_MAX) return putLongText(text, buf, pos, limit)
  if (limit - pos <= length) return -1
  let at = pos + 1
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0xff) return putWideText(text, buf, pos, limit)
    buf[at++] = unit
  }
  buf[pos] = SHORT_TEXT | length
  return at
}

function putLongText(text: string, buf: RawBuffer, pos: number, limit: number): number {
  const { length } = text
  if (limit - pos <= length) return -1
  // Flattens a string that was put together from pieces; the expression would do it more slowly.
  text.charCodeAt(0)
  if (isWide(text)) return putWideText(text, buf, pos, limit)
  let at = pos + 1
  if (length <= SMALL_MAX) buf[pos] = SHORT_TEXT | length
  else {
    if (limit - pos < 1 + lengthBytes(length) + length) return -1
    buf[pos] = LATIN1
    at = putLength(length, buf, at)
  }
  buf.latin1Write(text, at, length)
  return at + length
}

/** Not UTF-8: it is no shorter for most of what comes here, and Node 20 decodes it 100 times slower. */
function putWideText(text: string, buf: RawBuffer, pos: number, limit: number): number {
  const bytes = text.length * 2
  if (limit - pos < 1 + lengthBytes(bytes) + bytes) return -1
  buf[pos] = UTF16
  const at = putLength(bytes, buf, pos + 1)
  buf.ucs2Write(text, at, bytes)
  return at + bytes
}

export function putNumber(value: number, buf: RawBuffer, pos: number, limit: number): number {
  const int = value | 0
  if (int !== value || (int === 0 && 1 / value < 0)) {
    if (limit - pos < 9) return -1
    buf[pos] = DOUBLE
    return putDouble(value, buf, pos + 1)
  }
  if (int >= 0 && int <= SMALL_MAX) {
    if (limit <= pos) return -1
    buf[pos] = SMALL_INT | int
    return pos + 1
  }
  if (limit - pos < 5) return -1
  buf[pos] = INT32
  buf[pos + 1] = int
  buf[pos + 2] = int >> 8
  buf[pos + 3] = int >> 16
  buf[pos + 4] = int >> 24
  return pos + 5
}

/** The caller has checked for 8 bytes. */
export function putDouble(value: number, buf: RawBuffer, pos: number): number {
  float64[0] = value
  return putWord(buf, pos)
}

/** `value` must fit 64 bits. */
export function putBigInt64(value: bigint, buf: RawBuffer, pos: number, limit: number): number {
  if (limit - pos < 9) return -1
  buf[pos] = BIGINT64
  int64[0] = value
  return putWord(buf, pos + 1)
}

function putWord(buf: RawBuffer, pos: number): number {
  buf[pos] = word[0]
  buf[pos + 1] = word[1]
  buf[pos + 2] = word[2]
  buf[pos + 3] = word[3]
  buf[pos + 4] = word[4]
  buf[pos + 5] = word[5]
  buf[pos + 6] = word[6]
  buf[pos + 7] = word[7]
  return pos + 8
}

/** How many bytes `putLength` will take. */
export function lengthBytes(length: number): number {
  let bytes = 1
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}

/** Seven bits a byte, the lowest first; the caller has checked for the room. */
export function putLength(length: number, buf: RawBuffer, pos: number): number {
  let at = pos
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buf[at++] = (rest % 0x80) | 0x80
  buf[at++] = rest
  return at
}
