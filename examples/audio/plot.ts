/** Loudness and likeness to speech over time, as SVG. */

export interface Point {
  /** Seconds from the beginning. */
  seconds: number
  /** Decibels below full scale. */
  loudness: number
  /** From 0 to 1. */
  speech: number
}

const WIDTH = 900
const LEFT = 60
const TOP = 24
const HEIGHT = 110
const GAP = 34
const LOUDEST = 0
const QUIETEST = -70

export function plot(points: readonly Point[]): string {
  const end = Math.max(1e-3, points.at(-1)?.seconds ?? 0)
  const x = (seconds: number): number => LEFT + (seconds / end) * (WIDTH - LEFT - 16)
  const second = TOP + HEIGHT + GAP
  const loudness = (value: number): number => {
    const part = (Math.max(QUIETEST, value) - QUIETEST) / (LOUDEST - QUIETEST)
    return TOP + HEIGHT * (1 - part)
  }
  const speech = (value: number): number => second + HEIGHT * (1 - value)
  const place = (value: number): string => value.toFixed(1)
  const lineOf = (y: (point: Point) => number): string =>
    points.map((point) => `${place(x(point.seconds))},${place(y(point))}`).join(' ')
  const bottom = second + HEIGHT
  const step = [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600].find((each) => end / each <= 12) ?? 3600
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 40}" font-family="sans-serif" font-size="12" fill="#333">
<title>Loudness and likeness to speech</title>
<rect width="100%" height="100%" fill="#fff"/>
${[TOP, second].map((top) => `<rect x="${LEFT}" y="${top}" width="${WIDTH - LEFT - 16}" height="${HEIGHT}" fill="#f4f6f8"/>`).join('\n')}
<text x="${LEFT}" y="${TOP - 7}">loudness, dB below full scale</text>
<text x="${LEFT}" y="${second - 7}">likeness to speech</text>
${[0, -35, -70].map((value) => `<text x="${LEFT - 8}" y="${loudness(value) + 4}" text-anchor="end">${value}</text>`).join('\n')}
${[1, 0.5, 0].map((value) => `<text x="${LEFT - 8}" y="${speech(value) + 4}" text-anchor="end">${value}</text>`).join('\n')}
${ticks.map((tick) => `<text x="${place(x(tick))}" y="${bottom + 18}" text-anchor="middle">${tick} s</text>`).join('\n')}
<polyline fill="none" stroke="#2f6f9f" stroke-width="1.5" points="${lineOf((point) => loudness(point.loudness))}"/>
<polyline fill="none" stroke="#c0582b" stroke-width="1.5" points="${lineOf((point) => speech(point.speech))}"/>
</svg>
`
}
