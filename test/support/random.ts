/** Random numbers that a seed repeats. */
import process from 'node:process'

/** From the environment's MILLRACE_SEED, or a new one; print it, so that a failure can be run again. */
export function seedOfRun(): number {
  return Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 2 ** 31))
}

/** mulberry32: numbers from 0 to below 1. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
