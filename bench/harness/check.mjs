// Compares ratios with those that were published: what fell is worth a look. It never fails: timings are noisy.
import { KINDS } from './kinds.mjs'
import { describe } from './run-scenario.mjs'

const FELL = 0.15

/** Lines about what millrace lost against its peers by more than 15 %. */
export function fallenOf(name, scenario, results, published) {
  return results.flatMap((result) => {
    const before = published?.results.find(({ setting }) => describe(setting) === describe(result.setting))
    if (before === undefined) return [`${placeOf(name, result)}: nothing was published to compare with`]
    return result.rows.flatMap((row) => {
      const old = before.rows.find((other) => other.name === row.name)
      if (old === undefined || row.name === result.base || isOfOthers(row, result)) return []
      const now = advantage(scenario, row, result)
      const then = advantage(scenario, old, before)
      if (now >= then * (1 - FELL)) return []
      const by = Math.round(100 * (1 - now / then))
      const pair = pairOf(row, result)
      return [
        `${placeOf(name, result)}: ${pair} fell by ${by} %, from ${then.toFixed(2)} to ${now.toFixed(2)}`,
      ]
    })
  })
}

/** How many times as good as the other millrace is; of two that are millrace, the row as good as the base. */
function advantage(scenario, row, { base }) {
  const better = KINDS[scenario.kind].better === 'more' ? row.ratio : 1 / row.ratio
  return isMillrace(row.name) || !isMillrace(base) ? better : 1 / better
}

function pairOf(row, { base }) {
  return isMillrace(row.name) || !isMillrace(base) ? `${row.name} to ${base}` : `${base} to ${row.name}`
}

/** Two peers, in a scenario where millrace has a name of its own. */
function isOfOthers(row, { base, rows }) {
  return rows.some(({ name }) => isMillrace(name)) && !isMillrace(row.name) && !isMillrace(base)
}

function isMillrace(name) {
  return name.startsWith('millrace')
}

function placeOf(name, { setting }) {
  return `${name} ${describe(setting)}`.trim()
}
