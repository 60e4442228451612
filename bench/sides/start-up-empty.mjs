// Node, and nothing else: the floor of start-up.
import { Outcome } from './outcome.mjs'

const outcome = new Outcome()
outcome.begin()
outcome.end({ count: 0, sum: 0 })
outcome.print()
