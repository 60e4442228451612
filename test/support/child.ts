/** Runs a piece of TypeScript as the main module of a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'

export interface ChildEnd {
  code: number | null
  stdout: string
  stderr: string
}

/** @param code ESM TypeScript; paths that begin with `src/` are those of this checkout */
export async function runChild(code: string): Promise<ChildEnd> {
  const root = new URL('../../', import.meta.url).href
  const withPaths = code.replaceAll(/(from |import\()'src\//g, `$1'${root}src/`)
  const child = spawn(
    process.execPath,
    [...process.execArgv.filter(isLoader), '--input-type=module', '-e', withPaths],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  const [exitCode] = await once(child, 'close')
  return { code: exitCode, stdout: await stdout, stderr: await stderr }
}

function isLoader(arg: string, index: number, all: readonly string[]): boolean {
  return arg === '--import' || all[index - 1] === '--import' || arg.startsWith('--conditions')
}
