// Runs the sides of each scenario in turn (A B C A B C ...) and prints medians and ratios. See README.md.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SCENARIOS } from './scenarios.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    items: { type: 'string' },
    side: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
})

const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS)
const results = []
for (const name of names) {
  const scenario = SCENARIOS[name]
  if (scenario === undefined)
    throw new Error(`no scenario "${name}"; there are ${Object.keys(SCENARIOS).join(', ')}`)
  for (const setting of scenario.settings) results.push(runScenario(name, scenario, setting))
}
if (values.json) console.log(JSON.stringify({ machine: machine(), results }, null, 2))

function runScenario(name, scenario, setting) {
  const items = Number(values.items ?? scenario.items)
  const sides = scenario.sides.filter((side) => values.side === undefined || values.side.includes(side.name))
  const runs = new Map(sides.map((side) => [side.name, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const side of sides) runs.get(side.name).push(runSide(side, { ...setting, ...side.settings, items }))
  }
  checkSameWork(runs)
  const rows = sides.map((side) => summarise(side.name, runs.get(side.name)))
  const result = { scenario: name, setting, items, rounds: Number(values.rounds), rows }
  if (!values.json) print(result)
  return result
}

function runSide(side, settings) {
  const file = fileURLToPath(new URL(side.file, import.meta.url))
  const output = execFileSync(process.execPath, [file, JSON.stringify(settings)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  })
  return { ...JSON.parse(output), items: settings.items }
}

/** Every side must have done the same work on every item. */
function checkSameWork(runs) {
  const seen = new Set([...runs.values()].flat().map((run) => `${run.count} items, checksum ${run.sum}`))
  if (seen.size > 1) throw new Error(`the sides did not do the same work: ${[...seen].join('; ')}`)
}

function summarise(name, runs) {
  const rates = runs.map((run) => run.items / (run.elapsedMs / 1000)).sort((a, b) => a - b)
  const median = rates[rates.length >> 1]
  const switches = runs.map((run) => (1000 * run.switches) / run.items).sort((a, b) => a - b)[
    runs.length >> 1
  ]
  return { name, perSecond: median, lowest: rates[0], highest: rates.at(-1), switchesPer1000: switches }
}

function print({ scenario, setting, items, rounds, rows }) {
  const base = rows.find((row) => row.name === 'millrace') ?? rows[0]
  const about = Object.entries(setting).map(([key, value]) => `${key} ${value}`)
  console.log(`\n${scenario}, ${about.join(', ')}, ${items} items, ${rounds} rounds; ${machine()}`)
  console.log('| side | items/s, median | spread | ratio to millrace | context switches per 1,000 items |')
  console.log('| --- | ---: | ---: | ---: | ---: |')
  for (const row of rows) {
    const spread = `${short(row.lowest)} to ${short(row.highest)}`
    const ratio = (row.perSecond / base.perSecond).toFixed(2)
    console.log(
      `| ${row.name} | ${short(row.perSecond)} | ${spread} | ${ratio} | ${row.switchesPer1000.toFixed(1)} |`,
    )
  }
}

function short(rate) {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)} M` : `${Math.round(rate / 1e3)} k`
}

function machine() {
  return `${cpus().length} x ${cpus()[0].model}, Node ${process.version}`
}
