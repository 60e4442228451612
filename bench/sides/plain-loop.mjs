// One thread, no queue: what the work itself costs.
import { WORKS } from '../work/works.mjs'
import { Outcome, settings } from './outcome.mjs'

const outcome = new Outcome()
outcome.begin()
outcome.end(WORKS[settings.work].plain(settings))
outcome.print()
