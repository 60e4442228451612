/** Runs a piece of TypeScript as the main module of a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { LOADER, nameHere } from './places.ts'

export interface ChildEnd {
  code: number | null
  stdout: string
  stderr: string
}

/** A file as the main module: it may start threads, which code that is no file may not. */
export function runFile(file: URL, args: readonly string[]): Promise<ChildEnd> {
  return run([fileURLToPath(file), ...args])
}

/** @param code ESM TypeScript; paths that begin with `src/` are those of this checkout */
export async function runChild(code: string): Promise<ChildEnd> {
  const root = new URL('../../', import.meta.url).href
  const withPaths = code.replaceAll(
    /(from |import\()'(src\/.*?)'/g,
    (_, before, file) => `${before}'${root}${nameHere(file)}'`,
  )
  return run(['--input-type=module', '-e', withPaths])
}

async function run(args: readonly string[]): Promise<ChildEnd> {
  const child = spawn(process.execPath, [...LOADER, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  const [exitCode] = await once(child, 'close')
  return { code: exitCode, stdout: await stdout, stderr: await stderr }
}
