// What is done in each scenario, by name. A work has `make` (or `makeWith`), `steps`, `Checksum`, and `plain`: all of it
// in one loop, which is the floor for every side and says what count and checksum must be.
const NAMES = ['text', 'hop', 'record', 'frames', 'cpu']

/** What a side's process is for is in its environment: its threads load no more than that. */
const { BENCH_WORK } = process.env
const names = BENCH_WORK === undefined ? NAMES : [BENCH_WORK]

export const WORKS = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await import(`./${name}.mjs`)])),
)

/** What makes the items: a function of their number. */
export function makerOf(work, settings) {
  return work.makeWith?.(settings) ?? work.make
}
