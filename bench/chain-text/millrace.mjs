// Millrace: four threads, three queues.
import { start } from 'millrace'
import { report, settings } from '../side.mjs'
import definition from './millrace-pipeline.mjs'

await report(async ({ items, capacity }) => {
  const memory = new SharedArrayBuffer(4 * 8)
  const run = await start(definition, { items, capacity, memory }).join()
  if (process.env.BENCH_REPORT) console.error(JSON.stringify(run, null, 1))
  const [started, ended, count, sum] = new Float64Array(memory)
  settings.elapsedMs = ended - started
  return { count, sum }
})
