// Runs the sides of a scenario in turn (A B C A B C ...), each in a process of its own, and checks what they did.
import { spawnSync } from 'node:child_process'
import { expectedOf } from './expected.mjs'
import { KINDS } from './kinds.mjs'
import { prepare } from './tools.mjs'

const TIMEOUT_MS = 300_000

/**
 * The result for each setting of the scenario.
 *
 * @param options `rounds`, `items`, `quick`, `sides` (names; all if undefined), `tell` (called with what is going on)
 */
export function runScenario(name, scenario, options) {
  const { quick } = options
  const settings = quick ? scenario.settings.slice(0, scenario.quick?.settings ?? 1) : scenario.settings
  return settings.map((setting) => runSetting(name, scenario, setting, options))
}

function runSetting(name, scenario, setting, options) {
  const rounds = options.rounds ?? scenario.rounds ?? KINDS[scenario.kind].rounds
  const all =
    scenario.points?.[setting.grows].slice(0, options.quick ? scenario.quick.points : undefined) ??
    scenario.sides
  const asked = all.filter((side) => options.sides === undefined || options.sides.includes(side.name))
  const found = asked.map((side) => ({ ...side, ...prepare(side, !options.quick) }))
  const sides = found.filter((side) => side.missing === undefined)
  const runs = new Map(sides.map((side) => [side.name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const side of sides) {
      options.tell(`${name} ${describe(setting)}: round ${round} of ${rounds}, ${side.name}`)
      runs.get(side.name).push(runSide(scenario, side, settingsOf(scenario, setting, side, options)))
    }
  }
  const base = scenario.base ?? (scenario.points ? sides[0]?.name : 'millrace')
  const rows = KINDS[scenario.kind].summarise(
    sides.map((side) => ({ name: side.name, runs: runs.get(side.name) })),
    { base, setting },
  )
  const missing = found.flatMap(({ name, missing }) => (missing === undefined ? [] : { name, missing }))
  return { setting, rounds, base, rows, missing }
}

/** What a side is told. A share of the items is a round number of them. */
function settingsOf(scenario, setting, side, options) {
  const all = { work: scenario.work, items: scenario.items, ...setting, ...side.settings }
  if (options.quick) {
    const { settings: _, points: __, ...quick } = { items: 20_000, ...scenario.quick }
    return { ...all, ...quick, items: Math.min(quick.items, all.items) }
  }
  if (side.idle) return { ...all, items: 0 }
  const share = scenario.kind === 'start-up' ? 1 : (side.share ?? 1)
  return { ...all, items: Math.ceil((options.items ?? all.items) * share) }
}

function runSide(scenario, side, settings) {
  const [program, ...first] = side.command
  const own =
    side.tool === undefined
      ? [JSON.stringify(settings)]
      : [settings.work, `${settings.items}`, `${settings.capacity}`]
  const started = performance.now()
  const { status, signal, error, stdout } = spawnSync(program, [...first, ...own], {
    encoding: 'utf8',
    env: settings.work === undefined ? process.env : { ...process.env, BENCH_WORK: settings.work },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  })
  const wallMs = performance.now() - started
  const which = `${side.name}, ${JSON.stringify(settings)}`
  if (status !== 0) throw new Error(`${which}: ended with ${error?.message ?? signal ?? status}`)
  const measured = JSON.parse(stdout)
  const expected = expectedOf(scenario, side, settings)
  if (expected !== undefined && (measured.count !== expected.count || measured.sum !== expected.sum)) {
    const said = ({ count, sum }) => `${count} items, checksum ${sum}`
    throw new Error(`${which}: did not do the same work: ${said(measured)} in place of ${said(expected)}`)
  }
  return { ...measured, wallMs, settings, items: settings.items }
}

/** A setting in words: `capacity 64`. */
export function describe(setting) {
  if (setting.grows !== undefined) return `as ${setting.grows} grows`
  return Object.entries(setting)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value.toLocaleString('en')}`)
    .join(', ')
}
