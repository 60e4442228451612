/** Numbers as people read them: counts, parts, times. */

/** `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** Three figures are enough to compare, and stand still: `0.4`, `352,000`. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 10) return perSecond.toFixed(1)
  return formatCount(Number(perSecond.toPrecision(3)))
}

/** `42 %`. */
export function formatPercent(share: number): string {
  return `${Math.round(100 * Math.min(1, Math.max(0, share)))} %`
}

/** A time that goes on, calmly: `12 s`, `3 min 05 s`, `2 h 00 min`. */
export function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}

/** A time that is over: `87 ms`, `1.55 s`, `3 min 05 s`. */
export function formatElapsed(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s` : formatTime(ms)
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
