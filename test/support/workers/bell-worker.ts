/**
 * Answers rings: waits on its bell until the count in `ASKED` grows, then counts `ANSWERED` and rings the other's bell.
 * `doorbell.test.ts` is the other side.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Doorbell } from '../../../src/queue/doorbell.ts'
import { ANSWERED, ASKED, ASKER_BELL, WORKER_BELL } from '../bell-words.ts'

const { memory, rounds, how, spins } = workerData as {
  memory: SharedArrayBuffer
  rounds: number
  how: 'sync' | 'async'
  spins: number
}
const words = new Int32Array(memory)
const mine = new Doorbell(words, WORKER_BELL)
const theirs = new Doorbell(words, ASKER_BELL)
mine.allowSpinning(spins)

for (let round = 1; round <= rounds; round++) {
  const isAsked = () => Atomics.load(words, ASKED) >= round
  if (how === 'sync') mine.waitSync(isAsked)
  else await mine.wait(isAsked)
  Atomics.store(words, ANSWERED, round)
  theirs.ring()
}
parentPort?.postMessage({ wakeUps: mine.wakeUps })
