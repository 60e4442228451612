// Four threads that have nothing to do and end: the floor of whatever has four threads.
import { Worker } from 'node:worker_threads'
import { Outcome } from './outcome.mjs'

const outcome = new Outcome()
const empty = new URL('start-up-worker.mjs', import.meta.url)
outcome.begin()
const workers = Array.from({ length: 4 }, () => new Worker(empty))
await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
outcome.end({ count: 0, sum: 0 })
outcome.print()
