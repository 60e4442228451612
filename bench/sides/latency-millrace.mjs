// Millrace: four threads; `maxInFlight` lets the source make an item when the last one has arrived.
import { start } from '../millrace.mjs'
import { Latencies, Outcome, settings } from './latency.mjs'
import definition from './latency-millrace-pipeline.mjs'

const outcome = new Outcome()
const latencies = new Latencies()
const options = { items: settings.items, memory: outcome.memory, samples: latencies.memory }
await start(definition, options, { maxInFlight: 1 }).join()
outcome.print(latencies.percentiles())
