// Piscina: chained calls, several tasks a worker, so that it need not wait for the main thread after each.
import { Piscina } from 'piscina'
import { runPool, settings, THREADS, WORK_FILE } from './pool.mjs'

const pool = new Piscina({
  filename: WORK_FILE,
  minThreads: THREADS,
  maxThreads: THREADS,
  concurrentTasksPerWorker: settings.tasksPerWorker ?? 64,
})
await runPool((name, item) => pool.run(item, { name }))
await pool.destroy()
