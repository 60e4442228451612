// The table on the first page: how many times as fast as its peers Millrace is.
import { short } from './kinds.mjs'
import { describe } from './run-scenario.mjs'

const SCENARIOS = ['chain-text', 'one-hop', 'chain-record', 'chain-frames']

/** A column for each: the best of the sides named. */
const PEERS = [
  ['best worker pool', ['Piscina', 'tinypool', 'workerpool', 'poolifier', 'Piscina, transfer']],
  ['MessageChannel', ['MessageChannel', 'MessageChannel, transfer']],
  ['the same, batches of 64', ['MessageChannel, batches of 64']],
  ['Python threads', ['Python threads, queue.Queue']],
  ['Rust sync_channel', ['Rust sync_channel']],
  ['oneTBB', ['oneTBB parallel_pipeline']],
  ['Go channels', ['Go channels']],
  ['plain loop', ['plain loop']],
]

export function summaryOf(found) {
  const measured = found.filter(({ scenario }) => SCENARIOS.includes(scenario))
  if (measured.length === 0) return 'Nothing is published yet.'
  const rows = measured.flatMap(({ scenario, results }) =>
    results.map(({ setting, rows }) => [
      `${scenario}, ${describe(setting)}`,
      short(rows.find(({ name }) => name === 'millrace').median),
      ...PEERS.map(([, names]) => ratioTo(rows, names)),
    ]),
  )
  const { machine, commit, date } = measured[0]
  const header = ['scenario', 'Millrace, items/s', ...PEERS.map(([title]) => title)]
  return [
    `How many times as fast as each peer, in one run, sides in turn: ${machine.cores} x ${machine.model}, Node ${machine.node},`,
    `commit ${commit}, ${date.slice(0, 10)}. What each does, and all figures: [bench/README.md](bench/README.md).`,
    '',
    '<!-- biome-ignore format: tables this wide are not padded -->',
    `| ${header.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(header.length - 1)}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    '![The same as a chart](bench/results/chart.svg)',
  ].join('\n')
}

function ratioTo(rows, names) {
  const best = Math.max(...rows.filter(({ name }) => names.includes(name)).map(({ ratio }) => ratio))
  if (!Number.isFinite(best)) return ''
  const times = 1 / best
  return times >= 10 ? `${Math.round(times)}` : times.toPrecision(2)
}
