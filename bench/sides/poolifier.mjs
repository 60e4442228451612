// poolifier: chained calls. Its workers queue tasks themselves.
import { fileURLToPath } from 'node:url'
import { FixedThreadPool } from 'poolifier'
import { runPool, settings, THREADS } from './pool.mjs'

const pool = new FixedThreadPool(THREADS, fileURLToPath(new URL('poolifier-worker.mjs', import.meta.url)), {
  workerOptions: { workerData: settings.work },
})
await runPool((name, item) => pool.execute(item, name))
await pool.destroy()
