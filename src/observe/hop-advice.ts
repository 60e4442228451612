/** Which hops cost more than they give: a thread of its own is worth it only for work that is larger than the hop. Pure. */

/** A stage with one worker in a thread of its own, between one stage and another. */
export interface Hop {
  stage: string
  /** The stage before it, in a thread of its own too. */
  from: string
  /** Items whose time was taken; in all, that of its process function, and that of the rest. See host/hop-samples.ts. */
  samples: { count: number; workMs: number; hopMs: number }
}

export interface HopAdvice {
  stage: string
  /** Time of its process function for an item, in microseconds, on average. */
  workMicros: number
  /** What reading an item from its queue, sending on the result and keeping count cost, in microseconds, on average. */
  hopMicros: number
  /** What to do about it, in one sentence. */
  why: string
}

/** Fewer say little. */
const FEWEST_SAMPLES = 200

/** Those where the hop takes longer than the work that it moves to another thread. */
export function adviseOnHops(hops: readonly Hop[]): HopAdvice[] {
  return hops.flatMap(({ stage, from, samples: { count, workMs, hopMs } }) => {
    if (count < FEWEST_SAMPLES) return []
    const workMicros = (1000 * workMs) / count
    const hopMicros = (1000 * hopMs) / count
    if (!(hopMicros > workMicros)) return []
    const why =
      `its work takes ${show(workMicros)} an item, the hop to its thread ${show(hopMicros)}: ` +
      `as .map() of "${from}" it would cost less`
    return [{ stage, workMicros: round(workMicros), hopMicros: round(hopMicros), why }]
  })
}

function show(micros: number): string {
  return `${micros.toFixed(2)} µs`
}

function round(micros: number): number {
  return Math.round(micros * 1000) / 1000
}
