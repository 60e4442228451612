/** A timer for a time that may be for ever. Node's own fires after a millisecond where it is longer than it can be. */

/** Calls back after so many milliseconds; where they are more than a timer can count (24.8 days), never. */
export function setDeadline(callback: () => void, ms: number): NodeJS.Timeout | undefined {
  return ms <= 2 ** 31 - 1 ? setTimeout(callback, ms) : undefined
}
