// The demo on a text of over 100 MB: byte for byte what another program makes of it, in little memory.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Report } from '../../src/index.ts'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const TEXT_BYTES = 110_000_000
const MOST_MEMORY_KB = 400 * 1024
const ALPHABETS = [
  'abc XYZ 09 .,;',
  'äöüß éàñ',
  'αβγ Σςσ',
  'привет мир',
  'ﬁ ﬂ ŉ ǆ',
  '👩‍🚀🚀 e\u0301',
  '中文 かな',
]

const PYTHON = `
import sys
with open(sys.argv[1], encoding='utf-8', newline='\\n') as source, open(sys.argv[2], 'w', encoding='utf-8', newline='\\n') as target:
    for line in source:
        target.write(line.rstrip('\\n').upper()[::-1] + '\\n')
`

const hasTools = ['python3', '/usr/bin/time'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
)

test('the demo turns 110 MB into what another program makes of it, within 400 MB of memory', {
  deadlineMs: 280_000,
  skip: hasTools ? false : 'needs python3 and GNU time',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  const [text, ours, theirs] = ['text', 'ours', 'theirs'].map((name) => join(folder, name))
  try {
    const seed = seedOfRun()
    t.diagnostic(`seed ${seed}`)
    makeText(text, seed)
    const cli = join(ROOT, 'dist/cli/main.js')
    const args = [cli, 'run', 'examples/demo/pipeline.ts', '--file', text, '--out', ours, '--quiet', '--json']
    const run = spawnSync('/usr/bin/time', ['-f', '%M', process.execPath, ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    assert.equal(run.status, 0, run.stderr)
    const report = JSON.parse(run.stdout) as Report
    assert.equal(report.outcome, 'completed')
    const memoryKb = Number(run.stderr.trim().split('\n').at(-1))
    t.diagnostic(`${Math.round(memoryKb / 1024)} MiB at most, ${Math.round(report.elapsedMs)} ms`)
    assert.ok(memoryKb < MOST_MEMORY_KB, `${memoryKb} KiB`)
    execFileSync('python3', ['-c', PYTHON, text, theirs])
    assert.ok(readFileSync(ours).equals(readFileSync(theirs)))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Lines of all lengths, empty ones and very long ones too, in several scripts. */
function makeText(file: string, seed: number): void {
  const random = randomFrom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]
  const fd = openSync(file, 'w')
  for (let size = 0; size < TEXT_BYTES; ) {
    let chunk = ''
    while (chunk.length < 500_000) chunk += `${line(random, pick)}\n`
    size += writeSync(fd, chunk)
  }
  closeSync(fd)
}

function line(random: () => number, pick: <T>(from: readonly T[]) => T): string {
  const kind = random()
  if (kind < 0.1) return ''
  const length = kind < 0.97 ? random() * 12 : kind < 0.9995 ? random() * 200 : random() * 40_000
  let text = ''
  for (let part = 0; part < length; part++) text += pick(ALPHABETS)
  return text
}
