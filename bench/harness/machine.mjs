// Where and of what a measurement was taken.
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export function machine() {
  return {
    cores: cpus().length,
    model: cpus()[0].model,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
  }
}

/** The commit, and whether files differ from it. */
export function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'bench', ':!bench/results', ':!bench/*.md')
    return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ', with changes'}`
  } catch {
    return 'unknown'
  }
}

/** How many threads wanted to run in the last minute: more than a little, and the figures are noise. */
export function load() {
  return Math.round(loadavg()[0] * 100) / 100
}
