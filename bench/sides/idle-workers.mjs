// Four threads that wait for a message.
import { Worker } from 'node:worker_threads'
import { measureIdle } from './idle.mjs'

const waits = new URL('idle-worker.mjs', import.meta.url)
const workers = Array.from({ length: 4 }, () => new Worker(waits))
await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
const outcome = await measureIdle()
await Promise.all(workers.map((worker) => worker.terminate()))
outcome.print()
