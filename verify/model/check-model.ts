/** Runs spin, and the checker that it makes, on the model. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModelCheck } from './model-checks.ts'

export interface ModelResult {
  name: string
  isMutation: boolean
  /** As it should: no error, or, of a mutation, one. */
  isGood: boolean
  states: number
  elapsedMs: number
  /** What spin said, if it is not good. */
  said: string
}

const MODEL = fileURLToPath(new URL('./model/millrace.pml', import.meta.url))

/** Why the model cannot be checked here; undefined: it can. */
export function missingTool(): string | undefined {
  for (const [tool, flag] of [
    ['spin', '-V'],
    ['gcc', '--version'],
  ]) {
    if (spawnSync(tool, [flag]).error !== undefined)
      return `there is no ${tool} (Debian: apt-get install spin gcc libc6-dev)`
  }
  return undefined
}

export function checkModel({ name, flags, isMutation = false }: ModelCheck): ModelResult {
  const began = performance.now()
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-model-'))
  try {
    execFileSync('spin', ['-a', ...flags, MODEL], { cwd: folder, stdio: 'pipe' })
    // Mistakes show soon: there the compiler would work longer than the checker.
    const gcc = [
      isMutation ? '-O0' : '-O2',
      '-DSAFETY',
      '-DVECTORSZ=1024',
      '-DCOLLAPSE',
      '-DMEMLIM=2000',
      '-o',
      'pan',
      'pan.c',
    ]
    execFileSync('gcc', gcc, { cwd: folder, stdio: 'pipe' })
    const { stdout } = spawnSync(path.join(folder, 'pan'), ['-m1000000', '-w22'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    const errors = Number(stdout.match(/errors: (\d+)/)?.[1] ?? Number.NaN)
    const isWhole = !/out of memory|too small|Search not completed/.test(stdout) || errors > 0
    const states = Number(stdout.match(/(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/)?.[1] ?? 0)
    const isGood = isMutation ? errors > 0 : errors === 0 && isWhole
    return {
      name,
      isMutation,
      isGood,
      states,
      elapsedMs: performance.now() - began,
      said: isGood ? '' : stdout,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
