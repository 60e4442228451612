// The scenarios, named by topology, and the sides that are compared in each. Every side of a scenario does the same work,
// once for each setting.
//
// `kind` says what is measured and shown: see harness/kinds.mjs. `base`: the side that the others are set against, if it
// is not millrace. `quick`: what is different in a short round; how many items, settings, points; else 20,000, one, all.
import {
  EFFECT,
  MESSAGE_CHANNEL,
  MESSAGE_CHANNEL_64,
  MILLRACE,
  MILLRACE_64,
  NATIVES,
  NODE_STREAM,
  PISCINA,
  PLAIN_LOOP,
  POOLS,
} from './harness/sides.mjs'

const CAPACITIES = [{ capacity: 64 }, { capacity: 1024 }]

const CHAIN_SIDES = [
  MILLRACE,
  MILLRACE_64,
  PLAIN_LOOP,
  NODE_STREAM,
  EFFECT,
  MESSAGE_CHANNEL,
  MESSAGE_CHANNEL_64,
  ...POOLS,
  ...NATIVES,
]

export const SCENARIOS = {
  'chain-text': {
    kind: 'rate',
    work: 'text',
    items: 2_000_000,
    settings: CAPACITIES,
    sides: CHAIN_SIDES,
  },
  'one-hop': {
    kind: 'rate',
    work: 'hop',
    items: 3_000_000,
    settings: CAPACITIES,
    sides: [MILLRACE, MILLRACE_64, PLAIN_LOOP, MESSAGE_CHANNEL, MESSAGE_CHANNEL_64, ...NATIVES],
  },
  'chain-fused': {
    kind: 'rate',
    work: 'text',
    items: 2_000_000,
    rounds: 3,
    settings: CAPACITIES,
    base: 'millrace, fused into two threads',
    sides: [
      { ...MILLRACE, name: 'millrace, fused into two threads', settings: { fused: true } },
      { ...MILLRACE, name: 'millrace, four threads' },
      PLAIN_LOOP,
      NODE_STREAM,
    ],
  },
  'chain-record': {
    kind: 'rate',
    work: 'record',
    items: 1_000_000,
    settings: CAPACITIES,
    sides: CHAIN_SIDES,
  },
  'chain-frames': {
    kind: 'rate',
    unit: 'frames',
    work: 'frames',
    // Long enough for what V8 compiles at the beginning not to count.
    items: 10_000,
    quick: { items: 20 },
    settings: [{ capacity: 8 }],
    sides: [
      { ...MILLRACE, file: 'frames-millrace', settings: { alloc: true } },
      { ...MILLRACE, name: 'millrace, frames of its own', file: 'frames-millrace', share: 0.1 },
      PLAIN_LOOP,
      { ...MESSAGE_CHANNEL, name: 'MessageChannel, transfer', file: 'frames-message-channel', share: 1 },
      { ...PISCINA, name: 'Piscina, transfer', file: 'frames-piscina', share: 1 },
      ...NATIVES.map((side) => ({ ...side, share: 1 })),
    ],
  },
  'farm-cpu': {
    kind: 'farm',
    work: 'cpu',
    items: 10_000,
    quick: { items: 50, warmUp: 10 },
    settings: [{ turns: 500_000, capacity: 64, warmUp: 500 }],
    base: 'plain loop',
    sides: [
      PLAIN_LOOP,
      ...[1, 2].flatMap((workers) => [
        farm(MILLRACE, workers, { order: 'input' }, ', ordered'),
        farm(MILLRACE, workers, { order: 'completion' }),
        farm({ ...PISCINA, share: 1 }, workers, { tasksPerWorker: 2 }),
      ]),
    ],
  },
  // What keeping the order costs when all items take the same time.
  'farm-order': {
    kind: 'rate',
    work: 'cpu',
    items: 400_000,
    rounds: 3,
    quick: { items: 2_000, warmUp: 100 },
    settings: [
      { turns: 5_000, capacity: 64, workers: 4, warmUp: 50_000 },
      { turns: 50_000, items: 50_000, capacity: 64, workers: 4, warmUp: 5_000 },
      { turns: 500_000, items: 5_000, capacity: 64, workers: 4, warmUp: 500 },
    ],
    base: 'order completion',
    sides: ['completion', 'input'].map((order) => ({
      ...MILLRACE,
      name: `order ${order}`,
      settings: { order },
    })),
  },
  // One item in 100 takes 100 times as long.
  'farm-balance': {
    kind: 'balance',
    work: 'cpu',
    items: 25_000,
    rounds: 3,
    quick: { items: 300, warmUp: 100 },
    settings: [64, 256, 1024].map((capacity) => ({
      turns: 50_000,
      every: 100,
      times: 100,
      capacity,
      workers: 2,
      warmUp: 5_000,
    })),
    base: 'plain loop',
    sides: [
      PLAIN_LOOP,
      ...['completion', 'input'].map((order) => ({
        ...MILLRACE,
        name: `millrace, order ${order}`,
        settings: { order },
      })),
    ],
  },
  latency: {
    kind: 'latency',
    items: 20_000,
    rounds: 3,
    quick: { items: 500 },
    settings: [{}],
    sides: [
      { ...MILLRACE, file: 'latency-millrace' },
      {
        ...MILLRACE,
        name: 'millrace, maxInFlight 1',
        file: 'latency-millrace',
        settings: { maxInFlight: 1 },
      },
      { ...MESSAGE_CHANNEL, file: 'latency-message-channel', share: 1 },
      { ...PISCINA, file: 'latency-piscina', share: 1 },
    ],
  },
  'start-up': {
    kind: 'start-up',
    work: 'text',
    items: 10,
    settings: [{ capacity: 64 }],
    base: 'four Workers that do nothing',
    sides: [
      MILLRACE,
      { name: 'Node that does nothing', file: 'start-up-empty', idle: true },
      { name: 'four Workers that do nothing', file: 'start-up-workers', idle: true },
      { ...MESSAGE_CHANNEL, share: 1 },
      { ...PISCINA, share: 1 },
    ],
  },
  scale: {
    kind: 'scale',
    quick: { points: 3, warmUp: 1_000 },
    settings: [{ grows: 'stages' }, { grows: 'workers' }, { grows: 'bytes' }, { grows: 'capacity' }],
    points: {
      stages: [1, 2, 4, 8, 16, 32, 64].map((stages) =>
        point(stages, { stages, items: Math.round(2_000_000 / (stages + 1)) }),
      ),
      workers: [1, 2, 4, 8, 16].map((workers) => point(workers, { workers })),
      bytes: [16, 256, 4_096, 65_536, 2 ** 20, 2 ** 24].map((bytes) =>
        point(bytes, { bytes, items: Math.min(500_000, Math.ceil(2 ** 30 / bytes)) }),
      ),
      capacity: [1, 4, 16, 64, 1_024, 16_384, 65_536].map((capacity) =>
        point(capacity, { capacity, items: capacity < 16 ? 50_000 : 1_000_000 }),
      ),
    },
  },
  'long-run': {
    kind: 'long-run',
    items: 100_000_000,
    quick: { items: 200_000 },
    rounds: 1,
    settings: [{ capacity: 1024 }],
    sides: [{ ...MILLRACE, file: 'long-run-millrace' }],
  },
  idle: {
    kind: 'idle',
    rounds: 2,
    quick: { settleMs: 50, idleMs: 50 },
    items: 0,
    settings: [{}],
    sides: [
      { ...MILLRACE, file: 'idle-millrace', idle: true },
      { name: 'Node that does nothing', file: 'idle-empty', idle: true },
      { name: 'four Workers that wait', file: 'idle-workers', idle: true },
    ],
  },
}

function farm(side, workers, settings, more = '') {
  const count = `${workers} worker${workers === 1 ? '' : 's'}`
  return { ...side, name: `${side.name}, ${count}${more}`, settings: { workers, ...settings } }
}

/** One size of what grows. */
function point(size, settings) {
  const all = { stages: 1, workers: 1, bytes: 0, capacity: 64, items: 500_000, ...settings }
  return { name: `${size}`, file: 'scale-millrace', settings: { warmUp: Math.ceil(all.items / 3), ...all } }
}
