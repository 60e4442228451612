// Every example runs, from source, and prints what its comments say.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { HERE, ROOT } from '../support/places.ts'
import { assertPrintsWhatItSays, runMillrace } from '../support/program.ts'

const EXAMPLES = path.join(ROOT, 'examples')
const PROGRAMS = readdirSync(EXAMPLES)
  .filter((file) => /^\d\d-.*\.ts$/.test(file))
  .sort()

/** Those that are run by the command line: their arguments, and what they print. */
const BY_COMMAND: Record<string, { args: string[]; head: string[] }> = {
  '01-words.ts': {
    args: ['--file', 'examples/demo/alice.txt'],
    head: ['DNALREDNOW NI SERUTNEVDA S’ECILA', '', 'LLORRAC SIWEL YB'],
  },
}

for (const file of PROGRAMS) {
  test(`it runs and prints what it says: ${file}`, async () => {
    const command = BY_COMMAND[file]
    if (command === undefined) return assertPrintsWhatItSays(path.join(HERE, 'examples', file))
    const { code, stdout, stderr } = await runMillrace(['run', `examples/${file}`, ...command.args], HERE)
    assert.deepEqual(stdout.split('\n').slice(0, command.head.length), command.head, stderr)
    assert.equal(code, 0)
  })
}

test('examples are numbered without a gap, short, and import the package by its public name', () => {
  assert.deepEqual(
    PROGRAMS.map((file) => Number(file.slice(0, 2))),
    PROGRAMS.map((_, index) => index + 1),
  )
  for (const file of PROGRAMS) {
    const lines = readFileSync(path.join(EXAMPLES, file), 'utf8').trimEnd().split('\n')
    assert.ok(lines.length <= 60, `${file} has ${lines.length} lines`)
    assert.ok(!lines.some((line) => /from '\.\.?\//.test(line)), `${file} imports by path`)
  }
})
