/** The examples as a person runs them: `npm run example -- NAME`, with what they need installed first. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ROOT } from './places.ts'

const SCRIPT = path.join(ROOT, 'scripts/example.mjs')

export interface ExampleEnd {
  code: number | null
  stdout: string
  stderr: string
}

/** Installs what it needs. */
export async function prepareExample(name: string): Promise<void> {
  const script: string = pathToFileURL(SCRIPT).href
  await (await import(script)).prepareExample(name)
}

/** Starts an example; killed with the test if it has not ended. isGroup: in a process group of its own. */
export function startExample(t: TestContext, args: readonly string[], { isGroup = false } = {}) {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: isGroup,
  })
  t.after(() => {
    if (child.exitCode === null && child.pid !== undefined)
      process.kill(isGroup ? -child.pid : child.pid, 'SIGKILL')
  })
  const end = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]): ExampleEnd => ({ code, stdout, stderr }),
  )
  return { child, end }
}

/** Runs it to its end. */
export function runExample(t: TestContext, ...args: string[]): Promise<ExampleEnd> {
  return startExample(t, args).end
}
