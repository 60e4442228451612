/** How long to wait before an item that failed is tried again. */

export interface RetryOptions {
  /** Tries in all, the first one counted. */
  attempts: number
  /** Delay after the first failure, in milliseconds. */
  delayMs: number
  /** Each delay is so many times the one before. */
  factor: number
  /** Share of a delay that is left to chance, from 0 (none) to 1 (all of it). */
  jitter: number
  /** Longest delay, in milliseconds. */
  maxDelayMs: number
}

/**
 * Exponential back-off: the delay in milliseconds, from `(1 - jitter)` times the full delay to all of it.
 *
 * Chance only shortens, so that `maxDelayMs` holds, and spreads retries that failed together.
 * @param attempt the try that has just failed, from 1
 * @param random gives numbers from 0 to below 1
 */
export function retryDelayMs(
  options: Omit<RetryOptions, 'attempts'>,
  attempt: number,
  random: () => number = Math.random,
): number {
  const { jitter } = options
  const fullMs = backOffMs(options, attempt)
  return jitter === 0 ? fullMs : fullMs * (1 - jitter + jitter * random())
}

/** The delay before chance: `delayMs` times `factor` for each failure after the first, at most `maxDelayMs`. */
export function backOffMs(
  options: { delayMs: number; factor: number; maxDelayMs: number },
  failures: number,
): number {
  const { delayMs, factor, maxDelayMs } = options
  // Not left to the product: 0 times an overflow is no number.
  if (delayMs === 0) return 0
  return Math.min(delayMs * factor ** (failures - 1), maxDelayMs)
}
