/** Random values and a random source for them, from a seed: fast, so that millions can be made. */

export type Below = (limit: number) => number

/** Numbers from 0 to below the limit; the same for the same seed (xorshift, 32 bits). */
export function randomFrom(seed: number): Below {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5 || 1
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

const TEXTS = ['', 'a', 'key', 'naïve', '中文', '\ud800', 'x'.repeat(63), 'y'.repeat(64), 'é'.repeat(130)]
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  23,
  24,
  255,
  256,
  65_536,
  2 ** 31,
  2 ** 53,
  -(2 ** 31),
  0.1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
]
const KEYS = ['id', 'name', 'tags', 'at', 'value', 'ключ', 'k'.repeat(70)]

/** Anything that can travel, up to `depth` deep. */
export function randomValue(below: Below, depth: number): unknown {
  const kind = below(depth > 0 ? 19 : 11)
  switch (kind) {
    case 0:
      return TEXTS[below(TEXTS.length)] + String.fromCharCode(97 + below(26))
    case 1:
      return NUMBERS[below(NUMBERS.length)]
    case 2:
      return below(2 ** 30) - 2 ** 29
    case 3:
      return below(2) === 0
    case 4:
      return below(2) === 0 ? null : undefined
    case 5:
      return BigInt(below(2 ** 31)) ** BigInt(1 + below(4)) * (below(2) === 0 ? 1n : -1n)
    case 6:
      return new Date(below(2 ** 31))
    case 7:
      return Buffer.from(TEXTS[below(TEXTS.length)])
    case 8:
      return new Float64Array(Array.from({ length: below(5) }, () => below(100)))
    case 9:
      return below(2 ** 31) / (1 + below(1000))
    case 10:
      return 'w'.repeat(below(200))
    case 11:
      return new Map(Array.from({ length: below(4) }, () => [below(9), randomValue(below, depth - 1)]))
    case 12:
      return new Set(Array.from({ length: below(4) }, () => below(20)))
    case 13: {
      const shared = { again: below(9) }
      return [shared, randomValue(below, depth - 1), shared]
    }
    case 14:
      return Array.from({ length: 6 + below(70) }, () => TEXTS[below(TEXTS.length)] + 't'.repeat(below(40)))
    case 15:
    case 16:
      return Array.from({ length: below(5) }, () => randomValue(below, depth - 1))
    default: {
      const object: Record<string, unknown> = {}
      for (let count = below(5); count > 0; count--)
        object[KEYS[below(KEYS.length)]] = randomValue(below, depth - 1)
      return object
    }
  }
}
