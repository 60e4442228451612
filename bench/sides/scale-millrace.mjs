// Millrace, as one thing about a pipeline grows.
import { start } from '../millrace.mjs'
import { Outcome, settings } from './outcome.mjs'
import definition from './scale-pipeline.mjs'

const outcome = new Outcome()
await start(definition, { ...settings, memory: outcome.memory }).join()
outcome.print()
