/**
 * Where a syntax error is: an `import()` that fails on one does not say, a program that ends by one does.
 *
 * So the module is imported once more, by a process of its own. Nothing of it runs: it cannot be linked.
 */
import { spawnSync } from 'node:child_process'
import process from 'node:process'

const TIMEOUT_MS = 5_000

/** `file:///words.js:3`, the line, its marks. Empty if it cannot be told. */
export function findSyntaxError(url: string): string[] {
  const program = `import ${JSON.stringify(url)}`
  const args = [...process.execArgv, '--input-type=module', '--eval', program]
  const { stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines = stderr.split('\n')
  const first = lines.findIndex((line) => /^(?:file:|\/|[A-Z]:\\).*:\d+$/.test(line))
  const marks = lines.findIndex((line) => /^\s*\^+\s*$/.test(line))
  return first >= 0 && marks > first && marks - first < 4 ? lines.slice(first, marks + 1) : []
}
