/** Programs whose comments say what they print: `console.log(1 + 1) // => 2`. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { COMMAND, EXTENSION, ROOT } from './places.ts'

/** The programs are TypeScript; the package may be. */
const LOADER = [
  '--import',
  pathToFileURL(path.join(ROOT, 'ts-register.mjs')).href,
  ...(EXTENSION === '.ts' ? ['--conditions=millrace-source'] : []),
]
const TIMEOUT_MS = 30_000

/** Runs it from source; it must end well, and print what its comments say, in their order, and nothing else. */
export async function assertPrintsWhatItSays(file: string): Promise<void> {
  const expected = [...readFileSync(file, 'utf8').matchAll(/\/\/ => ?(.*)$/gm)].map(([, line]) => line)
  assert.ok(expected.length > 0, `${file} says nothing of what it prints`)
  const { code, stdout, stderr } = await runNode([...LOADER, file])
  assert.deepEqual(stdout.trimEnd().split('\n'), expected, stderr)
  assert.equal(stderr, '')
  assert.equal(code, 0)
}

/** Runs `millrace` from source. */
export function runMillrace(args: readonly string[], cwd: string) {
  return runNode([...COMMAND, ...args], cwd)
}

async function runNode(args: readonly string[], cwd?: string) {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}
