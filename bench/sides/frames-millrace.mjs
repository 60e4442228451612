// Millrace: a thread for each stage.
import { start } from '../millrace.mjs'
import definition from './frames-millrace-pipeline.mjs'
import { Outcome, settings } from './outcome.mjs'

const outcome = new Outcome()
await start(definition, { ...settings, memory: outcome.memory }).join()
outcome.print()
