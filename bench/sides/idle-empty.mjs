// Node, and one timer: the floor.
import { measureIdle } from './idle.mjs'

const outcome = await measureIdle()
outcome.print()
