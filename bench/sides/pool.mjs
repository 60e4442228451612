// What the sides with worker pools share: the main thread makes the items, sends each to the pool once for each step, and
// takes the results in their order. At most `capacity` items are under way.
import { fileURLToPath } from 'node:url'
import { makerOf, WORKS } from '../work/works.mjs'
import { Outcome, settings } from './outcome.mjs'

export { settings }

/** One for each step between reader and writer, which both are the main thread. */
export const THREADS = settings.workers ?? 2

/** A module whose exports are the steps. */
export const WORK_FILE = fileURLToPath(new URL(`../work/${settings.work}.mjs`, import.meta.url))

/** @param run `(name of the step, item) => promise of what the step returns` */
export async function runPool(run) {
  const { items, capacity, warmUp = 0 } = settings
  const work = WORKS[settings.work]
  const make = makerOf(work, settings)
  const names = Object.keys(work.steps)
  const outcome = new Outcome()
  const checksum = new work.Checksum()
  const take = (item) => item !== undefined && checksum.add(item)

  // The threads must be up before the clock runs.
  await Promise.all(Array.from({ length: 4 * THREADS }, () => run(names[0], make(0))))
  const underWay = []
  for (let number = 0; number < items; number++) {
    if (number === warmUp) outcome.begin()
    if (underWay.length === capacity) take(await underWay.shift())
    underWay.push(processAll(make(number)))
  }
  while (underWay.length > 0) take(await underWay.shift())
  outcome.end(checksum)
  outcome.print({ counted: items - warmUp })

  async function processAll(item) {
    let value = item
    for (const name of names) {
      value = await run(name, value)
      if (value === undefined) break
    }
    return value
  }
}
