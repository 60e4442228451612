/** The worlds, over shipped files that see the explorer's globals. */
import { createRequire } from 'node:module'
import type { Mutation } from '../mutations/mutation.ts'
import { bundleShipped } from './bundle-shipped.ts'
import { currentThreads } from './shared-views.ts'
import { HELPERS, loadModules, shippedGlobals } from './shipped-globals.ts'
import type { World } from './world.ts'

export interface Loaded {
  worlds: World[]
  /** The joined text, for showing where an operation stands. */
  text: string
}

export async function loadWorlds(mutation?: Mutation): Promise<Loaded> {
  const text = withHelpers(await bundleShipped(mutation))
  const globals = shippedGlobals(currentThreads)
  const module: { exports: { worlds?: World[] } } = { exports: {} }
  const parameters = { module, exports: module.exports, require: createRequire(import.meta.url), ...globals }
  const body = `${text}\n//# sourceURL=shipped.cjs`
  loadModules(() => new Function(...Object.keys(parameters), body)(...Object.values(parameters)))
  return { worlds: module.exports.worlds ?? [], text }
}

/** @throws if esbuild writes its helpers in another way than it did */
function withHelpers(text: string): string {
  let changed = text
  for (const [name, ours] of Object.entries(HELPERS)) {
    const pattern = new RegExp(`^var ${name} = `, 'gm')
    if (changed.match(pattern)?.length !== 1) throw new Error(`the joined text has no helper ${name}`)
    changed = changed.replace(pattern, `var ${name} = ${ours}; var unused${name} = `)
  }
  return changed
}
