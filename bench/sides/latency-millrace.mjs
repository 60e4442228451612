// Millrace: four threads. The sink lets the source make the next item, or `maxInFlight` does.
import { start } from '../millrace.mjs'
import { Latencies, Outcome, settings } from './latency.mjs'
import definition from './latency-millrace-pipeline.mjs'

const { items, maxInFlight } = settings
const outcome = new Outcome()
const latencies = new Latencies()
const gate = maxInFlight === undefined ? new SharedArrayBuffer(4) : undefined
const options = { items, memory: outcome.memory, samples: latencies.memory, gate }
await start(definition, options, maxInFlight === undefined ? {} : { maxInFlight }).join()
outcome.print(latencies.percentiles())
