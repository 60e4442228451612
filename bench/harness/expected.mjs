// What a side must have done: the count and the checksum of the work done in one loop.
import { WORKS } from '../work/works.mjs'

const known = new Map()

/** `undefined` where there is nothing to compare: sides that do nothing. */
export function expectedOf(scenario, side, settings) {
  if (side.idle) return undefined
  if (scenario.kind === 'long-run')
    return remember(['long-run', settings.items], () => sumOfNumbers(settings.items))
  if (scenario.work === undefined) return { count: settings.items, sum: 0 }
  const { items, turns, every, times } = settings
  const given = { items, turns, every, times }
  return remember([scenario.work, given], () => WORKS[scenario.work].plain(given))
}

function remember(key, compute) {
  const name = JSON.stringify(key)
  if (!known.has(name)) {
    const { count, sum } = compute()
    known.set(name, { count, sum })
  }
  return known.get(name)
}

function sumOfNumbers(items) {
  let sum = 0
  for (let number = 0; number < items; number++) sum = (Math.imul(sum, 31) + number) | 0
  return { count: items, sum }
}
