/** Keeps a core busy until it is told to stop. */
import { workerData } from 'node:worker_threads'

const words = new Int32Array(workerData as SharedArrayBuffer)
while (Atomics.load(words, 0) === 0);
