// The chart of the READMEs, by Observable Plot: the rate of every side over that of millrace, on a logarithmic scale.
import { describe } from './run-scenario.mjs'
import { versionOf } from './tools.mjs'

const SCENARIOS = ['chain-text', 'one-hop', 'chain-record']
const MILLRACE_COLOR = '#1f6f8b'
const PEER_COLOR = '#8d99a6'

export async function drawChart(found) {
  if (versionOf('@observablehq/plot') === undefined) {
    throw new Error('the chart is drawn by @observablehq/plot, which is not installed: npm ci in bench/')
  }
  const Plot = await import('@observablehq/plot')
  const { parseHTML } = await import('linkedom')
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const points = found.filter(({ scenario }) => SCENARIOS.includes(scenario)).flatMap(pointsOf)
  const mean = (name) => {
    const ratios = points.filter((point) => point.side === name).map(({ ratio }) => Math.log(ratio))
    return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
  }
  const sides = [...new Set(points.map(({ side }) => side))].toSorted((a, b) => mean(b) - mean(a))
  const plot = Plot.plot({
    document,
    width: 960,
    height: 110 + 240 * new Set(points.map(({ scenario }) => scenario)).size,
    marginLeft: 190,
    marginRight: 80,
    marginBottom: 46,
    marginTop: 40,
    style: { background: 'white', color: '#222', fontFamily: 'system-ui, sans-serif', fontSize: '11px' },
    x: {
      type: 'log',
      grid: true,
      label: 'rate over that of Millrace in the same run →',
      tickFormat: (x) => `${x}`,
    },
    y: { domain: sides, label: null },
    fx: { label: null, domain: [...new Set(points.map(({ setting }) => setting))] },
    fy: { label: null, domain: SCENARIOS.filter((name) => points.some(({ scenario }) => scenario === name)) },
    marks: [
      Plot.frame({ stroke: '#ddd' }),
      Plot.ruleX([1], { stroke: MILLRACE_COLOR, strokeDasharray: '3 3' }),
      Plot.link(points, {
        x1: 'lowest',
        x2: 'highest',
        y1: 'side',
        y2: 'side',
        fx: 'setting',
        fy: 'scenario',
        stroke: '#c3cad2',
        strokeWidth: 4,
      }),
      Plot.dot(points, {
        x: 'ratio',
        y: 'side',
        fx: 'setting',
        fy: 'scenario',
        r: 4,
        fill: ({ side }) => (side === 'millrace' ? MILLRACE_COLOR : PEER_COLOR),
      }),
      Plot.text(points, {
        x: 'highest',
        y: 'side',
        fx: 'setting',
        fy: 'scenario',
        text: ({ ratio }) => (ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(1)),
        textAnchor: 'start',
        dx: 7,
      }),
    ],
  })
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${plot.outerHTML}\n`
}

function pointsOf({ scenario, results }) {
  return results.flatMap(({ setting, rows }) => {
    const base = rows.find(({ name }) => name === 'millrace').median
    return rows.map(({ name, median, lowest, highest }) => ({
      scenario,
      setting: describe(setting),
      side: name,
      ratio: median / base,
      lowest: lowest / base,
      highest: highest / base,
    }))
  })
}
