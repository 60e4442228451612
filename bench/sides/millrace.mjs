// Millrace: a thread for each stage, a queue for each hop.
import { start } from '../millrace.mjs'
import definition from './millrace-pipeline.mjs'
import { Outcome, settings } from './outcome.mjs'

const outcome = new Outcome()
const report = await start(definition, { ...settings, memory: outcome.memory }).join()
if (process.env.BENCH_REPORT) console.error(JSON.stringify(report, null, 1))
outcome.print({ counted: settings.items - (settings.warmUp ?? 0) })
