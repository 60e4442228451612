// Tinypool: chained calls.
import { Tinypool } from 'tinypool'
import { runPool, THREADS, WORK_FILE } from './pool.mjs'

const pool = new Tinypool({
  filename: WORK_FILE,
  runtime: 'worker_threads',
  minThreads: THREADS,
  maxThreads: THREADS,
  concurrentTasksPerWorker: 64,
})
await runPool((name, item) => pool.run(item, { name }))
await pool.destroy()
