// workerpool: chained calls.
import { fileURLToPath } from 'node:url'
import workerpool from 'workerpool'
import { runPool, settings, THREADS } from './pool.mjs'

const pool = workerpool.pool(fileURLToPath(new URL('workerpool-worker.mjs', import.meta.url)), {
  minWorkers: THREADS,
  maxWorkers: THREADS,
  workerType: 'thread',
  workerThreadOpts: { workerData: settings.work },
})
await runPool((name, item) => pool.exec(name, [item]))
await pool.terminate()
