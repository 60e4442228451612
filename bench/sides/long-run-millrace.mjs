// Millrace: does memory stay what it was after a hundred million items?
import { start } from '../millrace.mjs'
import definition, { SAMPLES } from './long-run-pipeline.mjs'
import { Outcome, settings } from './outcome.mjs'

const outcome = new Outcome()
const samples = new SharedArrayBuffer(8 * SAMPLES)
await start(definition, { ...settings, memory: outcome.memory, samples }).join()
outcome.print({ rssMb: [...new Float64Array(samples)].map(Math.round) })
