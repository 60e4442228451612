// Writes the published results into the READMEs, and draws the chart.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SCENARIOS } from '../scenarios.mjs'
import { drawChart } from './draw-chart.mjs'
import { readResults } from './results.mjs'
import { summaryOf } from './summary.mjs'
import { tableOf } from './tables.mjs'

const fileOf = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

export async function publish() {
  const found = Object.keys(SCENARIOS).flatMap((name) => readResults(name) ?? [])
  replaceBetween('bench/README.md', 'figures', found.map(sectionOf).join('\n\n'))
  replaceBetween('README.md', 'speed', summaryOf(found))
  writeFileSync(fileOf('bench/results/chart.svg'), await drawChart(found))
}

function sectionOf({ scenario, machine, versions, commit, date, loadBefore, results }) {
  const where = `${machine.cores} x ${machine.model}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}`
  const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `### ${scenario}, measured`,
    '',
    `${where}; commit ${commit}, ${date.slice(0, 10)}; load at the beginning ${loadBefore}.${
      made.length > 0 ? ` ${made.join('; ')}.` : ''
    }`,
    ...results.flatMap((result) => ['', unpadded(tableOf(scenario, SCENARIOS[scenario], result))]),
  ].join('\n')
}

function unpadded(table) {
  return table.replace(/^\| /m, '<!-- biome-ignore format: tables this wide are not padded -->\n| ')
}

/** What stands in the file between `<!-- name -->` and `<!-- /name -->`. */
function replaceBetween(file, name, text) {
  const [from, to] = [`<!-- ${name}: written by npm run bench -- --publish -->`, `<!-- /${name} -->`]
  const old = readFileSync(fileOf(file), 'utf8')
  const [start, end] = [old.indexOf(from), old.indexOf(to)]
  if (start === -1 || end < start)
    throw new Error(`${file} has no place for what was measured: ${from} and ${to}`)
  writeFileSync(fileOf(file), `${old.slice(0, start + from.length)}\n\n${text}\n\n${old.slice(end)}`)
}
