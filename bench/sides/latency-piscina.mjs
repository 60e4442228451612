// Piscina: the main thread is reader and writer, and sends each item to a worker for each of the two stages.
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { Latencies, makeItem, Outcome, settings } from './latency.mjs'

const pool = new Piscina({
  filename: fileURLToPath(new URL('latency-piscina-worker.mjs', import.meta.url)),
  minThreads: 2,
  maxThreads: 2,
})
const outcome = new Outcome()
const latencies = new Latencies()
await Promise.all([pool.run(0), pool.run(0)])
outcome.begin()
for (let number = 0; number < settings.items; number++) {
  latencies.add(number, await pool.run(await pool.run(makeItem())))
}
outcome.end({ count: settings.items, sum: 0 })
outcome.print(latencies.percentiles())
await pool.destroy()
