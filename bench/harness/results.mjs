// Results as files: those that are published lie in the repository, the last ones of this machine beside them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))
const SCHEMA = 'millrace.bench/1'

export function writeResults(name, found, { published }) {
  const folder = published ? RESULTS : path.join(RESULTS, 'last')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${name}.json`)
  writeFileSync(file, `${JSON.stringify({ schema: SCHEMA, scenario: name, ...found }, rounded, 2)}\n`)
  return file
}

/** What was published of a scenario; undefined: nothing. */
export function readResults(name) {
  const file = path.join(RESULTS, `${name}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** Six digits are more than can be measured. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}
