/**
 * Lets this thread import TypeScript files.
 *
 * Node 22.18 and later strip types themselves. Before that, tsx does it, through its register API: `--import tsx`
 * does not reach workers on Node 20. When this very file runs as TypeScript, someone has seen to it already.
 */
import module from 'node:module'
import { MillraceError } from '../errors.ts'

let isRegistered =
  import.meta.url.endsWith('.ts') || Boolean((process.features as { typescript?: unknown }).typescript)

/** @throws MILLRACE_TYPESCRIPT if the module is TypeScript and nothing here can load it */
export async function prepareFor(url: string): Promise<void> {
  if (isRegistered || !/\.[cm]?tsx?$/.test(new URL(url).pathname)) return
  try {
    const { register } = (await import('tsx/esm/api')) as { register: () => void }
    register()
    module.register('./typescript-format.js', import.meta.url)
    isRegistered = true
  } catch (cause) {
    throw new MillraceError(
      'MILLRACE_TYPESCRIPT',
      `Node ${process.versions.node} cannot load ${url}: it is TypeScript`,
      {
        cause,
      },
    )
  }
}
