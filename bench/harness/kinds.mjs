// What is measured in a scenario, by its kind: which number of a run counts, and what the columns of its table are.
//
// `value` of a run is what medians, spread and ratio are taken of; `better` says which way is better. The ratio of a row is
// its median to that of the base.

/** Items that were made before the clock ran, to warm up, are not `counted`. */
const perSecond = ({ items, counted = items, elapsedMs }) => counted / (elapsedMs / 1000)

const SPREAD = (show) => ['spread', ({ lowest, highest }) => `${show(lowest)} to ${show(highest)}`]
const SWITCHES = ['switches per 1,000 items', ({ switchesPer1000 }) => switchesPer1000.toFixed(1)]
const MEMORY = ['peak memory', ({ maxRssMb }) => `${Math.round(maxRssMb)} MB`]

export const KINDS = {
  rate: {
    rounds: 5,
    value: perSecond,
    better: 'more',
    more: items,
    columns: ({ base }) => [
      ['items/s', ({ median }) => short(median)],
      SPREAD(short),
      [`ratio to ${base}`, ({ ratio }) => ratio.toFixed(2)],
      SWITCHES,
      MEMORY,
    ],
  },
  farm: {
    rounds: 5,
    value: perSecond,
    better: 'more',
    more: items,
    columns: () => [
      ['items/s', ({ median }) => short(median)],
      SPREAD(short),
      ['speed-up over plain loop', ({ ratio }) => ratio.toFixed(2)],
      MEMORY,
    ],
  },
  balance: {
    rounds: 5,
    value: perSecond,
    better: 'more',
    columns: ({ setting }) => [
      ['items/s', ({ median }) => short(median)],
      SPREAD(short),
      [
        'time over the ideal, all work over two workers',
        ({ ratio, name }) => (name === 'plain loop' ? '' : (setting.workers / ratio).toFixed(2)),
      ],
    ],
  },
  latency: {
    rounds: 5,
    value: ({ p50Us }) => p50Us,
    better: 'less',
    more: (runs) => ({
      p99Us: medianOf(runs.map(({ p99Us }) => p99Us)),
      p999Us: medianOf(runs.map(({ p999Us }) => p999Us)),
    }),
    columns: ({ base }) => [
      ['p50', ({ median }) => `${median} µs`],
      SPREAD((us) => `${us}`),
      ['p99', ({ p99Us }) => `${p99Us} µs`],
      ['p99.9', ({ p999Us }) => `${p999Us} µs`],
      [`p50 over that of ${base}`, ({ ratio }) => ratio.toFixed(2)],
    ],
  },
  'start-up': {
    rounds: 11,
    value: ({ wallMs }) => wallMs,
    better: 'less',
    more: memory,
    columns: ({ base }) => [
      ['whole process', ({ median }) => `${Math.round(median)} ms`],
      SPREAD((ms) => `${Math.round(ms)}`),
      [`ratio to ${base}`, ({ ratio }) => ratio.toFixed(2)],
      MEMORY,
    ],
  },
  scale: {
    rounds: 3,
    value: ({ cpuMs, items, settings }) => (cpuMs * 1e6) / (items * (settings.stages + 1)),
    better: 'less',
    more: (runs) => ({
      perSecond: medianOf(runs.map(perSecond)),
      bytes: runs[0].settings.bytes,
      ...items(runs),
    }),
    columns: ({ setting, base }) => [
      ['CPU for an item and hop', ({ median }) => time(median)],
      SPREAD(time),
      [`ratio to ${base}`, ({ ratio }) => ratio.toFixed(2)],
      ['items/s', ({ perSecond }) => short(perSecond)],
      ...(setting.grows === 'bytes'
        ? [['bytes/s', ({ perSecond, bytes }) => `${short(perSecond * bytes)}B`]]
        : []),
      SWITCHES,
      MEMORY,
    ],
  },
  'long-run': {
    rounds: 1,
    value: perSecond,
    better: 'more',
    more: (runs) => ({ ...items(runs), items: runs[0].items, rssMb: runs[0].rssMb }),
    columns: () => [
      ['items', ({ items }) => items.toLocaleString('en')],
      ['items/s', ({ median }) => short(median)],
      [
        'memory after 5 %, 25 %, 50 %, 75 %, 100 % of them',
        ({ rssMb }) => `${quarters(rssMb).join(', ')} MB`,
      ],
    ],
  },
  idle: {
    rounds: 3,
    value: ({ cpuMs }) => cpuMs,
    better: 'less',
    more: (runs) => ({ switches: medianOf(runs.map(({ switches }) => switches)), ...memory(runs) }),
    columns: () => [
      ['CPU in a second', ({ median }) => `${median.toFixed(2)} ms`],
      SPREAD((ms) => ms.toFixed(2)),
      ['context switches in a second', ({ switches }) => `${switches}`],
    ],
  },
}

for (const kind of Object.values(KINDS)) kind.summarise = (sides, { base }) => summarise(kind, sides, base)

function summarise(kind, sides, base) {
  const rows = sides.map(({ name, runs }) => {
    const values = runs.map(kind.value).sort((a, b) => a - b)
    return {
      name,
      median: medianOf(values),
      lowest: values[0],
      highest: values.at(-1),
      ...kind.more?.(runs),
      values,
    }
  })
  const to = rows.find((row) => row.name === base) ?? rows[0]
  return rows.map((row) => ({ ...row, ratio: row.median / to.median }))
}

function items(runs) {
  return {
    switchesPer1000: medianOf(runs.map(({ switches, items }) => (1000 * switches) / items)),
    ...memory(runs),
  }
}

function memory(runs) {
  return { maxRssMb: medianOf(runs.map(({ maxRssKb }) => maxRssKb / 1024)) }
}

/** Of the two in the middle the lower, where there are two: a number that was measured. */
export function medianOf(numbers) {
  return numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1]
}

/** Three digits and a unit: 1.23 M. */
export function short(value) {
  const [size, unit] = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ].find(([least]) => value >= least) ?? [1, '']
  const scaled = value / size
  return `${scaled >= 100 || unit === '' ? Math.round(scaled) : scaled.toPrecision(3)}${unit}`
}

/** A time that is given in nanoseconds. */
export function time(ns) {
  if (ns < 1e3) return `${Math.round(ns)} ns`
  return ns < 1e6 ? `${(ns / 1e3).toPrecision(3)} µs` : `${(ns / 1e6).toPrecision(3)} ms`
}

function quarters(samples) {
  const last = samples.length
  return [0, last / 4 - 1, last / 2 - 1, (3 * last) / 4 - 1, last - 1].map((at) => samples[at])
}
