/** The other side of bell-worker.ts, in a thread: asks, and blocks until it is answered. */
import { workerData } from 'node:worker_threads'
import { Doorbell } from '../../../src/queue/doorbell.ts'
import { ANSWERED, ASKED, ASKER_BELL, WORKER_BELL } from '../bell-words.ts'

const { memory, rounds, spins } = workerData as { memory: SharedArrayBuffer; rounds: number; spins: number }
const words = new Int32Array(memory)
const mine = new Doorbell(words, ASKER_BELL)
const theirs = new Doorbell(words, WORKER_BELL)
mine.allowSpinning(spins)

for (let round = 1; round <= rounds; round++) {
  Atomics.store(words, ASKED, round)
  theirs.ring()
  mine.waitSync(() => Atomics.load(words, ANSWERED) >= round)
}
