// The command: `npm run bench [-- scenario ...]`. See README.md.
import { parseArgs } from 'node:util'
import { fallenOf } from './harness/check.mjs'
import { commit, load, machine } from './harness/machine.mjs'
import { publish } from './harness/publish.mjs'
import { readResults, writeResults } from './harness/results.mjs'
import { runScenario } from './harness/run-scenario.mjs'
import { tableOf } from './harness/tables.mjs'
import { buildPackage, installPeers, versionsOf } from './harness/tools.mjs'
import { SCENARIOS } from './scenarios.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    items: { type: 'string' },
    side: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    'no-install': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const HELP = `npm run bench [-- scenario ... --option ...]

  --rounds N     how often each side runs            --quick       one short round, with what is installed
  --items N      items for a side                    --no-install  leave out packages that are missing
  --side NAME    only this side; may be repeated     --check       say which ratios fell since they were published
  --json         print data in place of tables       --publish     write results/, the tables of README.md, the chart
  --list         the scenarios and their sides       --render      the same from results/, without measuring`

const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS)
for (const name of names) {
  if (!Object.hasOwn(SCENARIOS, name)) {
    fail(`there is no scenario "${name}"; there are ${Object.keys(SCENARIOS).join(', ')}`)
  }
}

if (values.help) console.log(HELP)
else if (values.list) list()
else if (values.render) await publish()
else await measure()

async function measure() {
  const options = {
    rounds: readNumber('rounds') ?? (values.quick ? 1 : undefined),
    items: readNumber('items'),
    quick: values.quick,
    sides: values.side,
    tell: process.stderr.isTTY ? tell : () => {},
  }
  const partial = options.items !== undefined || options.sides !== undefined || values.quick
  if (values.publish && partial) fail('--publish takes whole scenarios: no --quick, --items or --side')
  buildPackage()
  if (!values.quick && !values['no-install']) installPeers()
  const loadBefore = load()
  const about = { machine: machine(), commit: commit(), date: new Date().toISOString(), loadBefore }
  if (!values.json) introduce(about)
  const fallen = []
  const data = []
  for (const name of names) {
    const scenario = SCENARIOS[name]
    const results = runScenario(name, scenario, options)
    options.tell('')
    const found = { ...about, versions: versionsOf(scenario.sides ?? []), results }
    data.push({ scenario: name, ...found })
    if (!values.json) for (const result of results) console.log(`\n${tableOf(name, scenario, result)}`)
    if (values.check) fallen.push(...fallenOf(name, scenario, results, readResults(name)))
    if (!values.quick) writeResults(name, found, { published: values.publish })
  }
  if (values.json) console.log(JSON.stringify(data, null, 2))
  if (values.publish) await publish()
  if (values.check) tellFallen(fallen)
}

function introduce({ machine, commit, loadBefore }) {
  console.log(
    `${machine.cores} x ${machine.model}, ${machine.system}, Node ${machine.node}; commit ${commit}; load ${loadBefore}`,
  )
  if (loadBefore > 0.5) console.log('The machine is busy: rates are noise, and ratios not much better.')
}

function tellFallen(fallen) {
  console.log('\nAgainst the published ratios (a fall by more than 15 %):')
  console.log(fallen.length === 0 ? '  nothing fell' : fallen.map((line) => `  ${line}`).join('\n'))
}

function list() {
  for (const [name, { sides, points }] of Object.entries(SCENARIOS)) {
    console.log(`${name}: ${(sides?.map((side) => side.name) ?? Object.keys(points)).join('; ')}`)
  }
}

/** One line of the terminal, written again and again. */
function tell(text) {
  process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
}

function readNumber(option) {
  const text = values[option]
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) fail(`--${option} must be a positive integer, got "${text}"`)
  return number
}

function fail(message) {
  console.error(message)
  process.exit(2)
}
