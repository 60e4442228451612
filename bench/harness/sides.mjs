// The sides that several scenarios compare: what they are called, what runs them, and what has to be there for it.
//
// `file`: a program of sides/. `tool`: a program of native/, see tools.mjs. `peer`: a package of this folder.
// `share`: the part of a scenario's items that a side gets which is much slower than the others: rates are compared.

export const MILLRACE = { name: 'millrace', file: 'millrace' }
export const MILLRACE_64 = {
  name: 'millrace, arrays of 64',
  file: 'millrace',
  settings: { batch: 64 },
  share: 0.5,
}
export const PLAIN_LOOP = { name: 'plain loop', file: 'plain-loop' }
export const NODE_STREAM = { name: 'node:stream', file: 'node-stream', share: 0.5 }
export const EFFECT = { name: 'Effect Stream', file: 'effect-stream', peer: 'effect', share: 0.5 }
export const MESSAGE_CHANNEL = { name: 'MessageChannel', file: 'message-channel', share: 0.1 }
export const MESSAGE_CHANNEL_64 = {
  name: 'MessageChannel, batches of 64',
  file: 'message-channel',
  settings: { batch: 64 },
  share: 0.5,
}
export const PISCINA = { name: 'Piscina', file: 'piscina', peer: 'piscina', share: 0.02 }

const TINYPOOL = { name: 'tinypool', file: 'tinypool', peer: 'tinypool', share: 0.01 }
const WORKERPOOL = { name: 'workerpool', file: 'workerpool', peer: 'workerpool', share: 0.01 }
const POOLIFIER = { name: 'poolifier', file: 'poolifier', peer: 'poolifier', share: 0.02 }

export const POOLS = [PISCINA, TINYPOOL, WORKERPOOL, POOLIFIER]

export const NATIVES = [
  { name: 'Python threads, queue.Queue', tool: 'python', share: 0.1 },
  { name: 'Go channels', tool: 'go' },
  { name: 'Rust sync_channel', tool: 'rust' },
  { name: 'oneTBB parallel_pipeline', tool: 'tbb' },
]
