// The whole program is killed again and again; what it leaves behind in the end is as if nothing had happened.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'
import { randomFrom, seedOfRun } from '../support/random.ts'

const LINES = 60_000
const KILLS = 20
const PIPELINE = path.join(ROOT, '.built/test/fixtures/pipelines/copy-lines.js')
const MILLRACE = path.join(ROOT, 'dist/cli/main.js')

interface Kill {
  afterMs: number
  /** Counted from its start, which takes longest, or from the first checkpoint beyond the one that it found. */
  from: 'start' | 'checkpoint'
}

/** Runs the job; kills it, if that is asked for. Whether it came to its end. */
async function run(file: string, out: string, checkpoint: string, kill?: Kill): Promise<boolean> {
  const args = [
    'run',
    PIPELINE,
    '--file',
    file,
    '--out',
    out,
    '--checkpoint',
    checkpoint,
    '--spinMicros',
    '150',
    '--quiet',
  ]
  const child = spawn(process.execPath, [MILLRACE, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  const found = positionIn(checkpoint)
  let timer: NodeJS.Timeout | undefined
  const count = (): void => {
    timer ??= kill && setTimeout(() => child.kill('SIGKILL'), kill.afterMs)
  }
  // A checkpoint is written beside the old one, and takes its place.
  const watcher = watch(path.dirname(checkpoint), (_, name) => {
    if (name === path.basename(checkpoint) && positionIn(checkpoint) > found) count()
  })
  if (kill?.from === 'start') count()
  const [code, signal] = await once(child, 'close')
  watcher.close()
  clearTimeout(timer)
  if (signal === 'SIGKILL') return false
  assert.equal(code, 0)
  return true
}

test('a job with a checkpoint, killed 20 times, writes what it would have written', {
  deadlineMs: 180_000,
}, async (t) => {
  const seed = seedOfRun()
  t.diagnostic(`MILLRACE_SEED=${seed}`)
  const random = randomFrom(seed)
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  try {
    const [file, out, checkpoint] = ['in', 'out', 'position'].map((name) => path.join(directory, name))
    const lines = Array.from(
      { length: LINES },
      (_, index) => `${index} ${'x'.repeat(Math.floor(random() * 20))}`,
    )
    writeFileSync(file, `${lines.join('\n')}\n`)
    const positions: number[] = []
    let kills = 0
    while (kills < KILLS) {
      const from = random() < 0.25 ? 'start' : 'checkpoint'
      if (await run(file, out, checkpoint, { afterMs: random() * (from === 'start' ? 600 : 300), from }))
        break
      kills++
      positions.push(positionIn(checkpoint))
    }
    assert.equal(kills, KILLS, 'it came to its end before it was killed often enough')
    assert.ok(await run(file, out, checkpoint))
    const expected = lines.map((line) => `${[...line].reverse().join('').padEnd(39)}\n`).join('')
    assert.ok(readFileSync(out).equals(Buffer.from(expected)), 'the output differs')
    t.diagnostic(`positions after each kill: ${positions.join(' ')}`)
    assert.deepEqual(
      positions,
      [...positions].sort((one, other) => one - other),
    )
    assert.ok((positions.at(-1) ?? 0) > 0, 'no run went on where one had been')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

function positionIn(checkpoint: string): number {
  try {
    return JSON.parse(readFileSync(checkpoint, 'utf8')).position.index
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
