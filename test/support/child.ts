/** Runs a piece of TypeScript as the main module of a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { LOADER, nameHere } from './places.ts'

export interface ChildEnd {
  code: number | null
  stdout: string
  stderr: string
}

/** @param code ESM TypeScript; paths that begin with `src/` are those of this checkout */
export async function runChild(code: string): Promise<ChildEnd> {
  const root = new URL('../../', import.meta.url).href
  const withPaths = code.replaceAll(
    /(from |import\()'(src\/.*?)'/g,
    (_, before, file) => `${before}'${root}${nameHere(file)}'`,
  )
  const child = spawn(process.execPath, [...LOADER, '--input-type=module', '-e', withPaths], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  const [exitCode] = await once(child, 'close')
  return { code: exitCode, stdout: await stdout, stderr: await stderr }
}
