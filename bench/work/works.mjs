// What is done in each scenario, by name. A work has `make` (or `makeWith`), `steps`, `Checksum`, and `plain`: all of it
// in one loop, which is the floor for every side and says what count and checksum must be.
import * as cpu from './cpu.mjs'
import * as frames from './frames.mjs'
import * as hop from './hop.mjs'
import * as record from './record.mjs'
import * as text from './text.mjs'

export const WORKS = { text, hop, record, frames, cpu }

/** What makes the items: a function of their number. */
export function makerOf(work, settings) {
  return work.makeWith?.(settings) ?? work.make
}
