// The scenarios, named by topology, and the sides that are compared in each.

export const SCENARIOS = {
  'chain-text': {
    items: 1_000_000,
    settings: [{ capacity: 64 }, { capacity: 1024 }],
    sides: [
      { name: 'millrace', file: './chain-text/millrace.mjs' },
      { name: 'plain loop', file: './chain-text/plain-loop.mjs' },
      { name: 'node:stream', file: './chain-text/node-stream.mjs' },
      { name: 'MessageChannel', file: './chain-text/message-channel.mjs', settings: { batch: 1 } },
      {
        name: 'MessageChannel, batches of 64',
        file: './chain-text/message-channel.mjs',
        settings: { batch: 64 },
      },
    ],
  },
}
