/**
 * Module hooks below tsx's: a TypeScript file with `import` or `export` is an ES module, whatever its package.json says.
 *
 * Node 22.18 and later see that by themselves where no type is given. Without this, on Node 20, tsx makes CommonJS
 * of the files of a folder without `"type": "module"`, and imports among them fail.
 */
import { readFileSync } from 'node:fs'
import type { ResolveHook } from 'node:module'

const TYPESCRIPT = /\.tsx?$/
const MODULE_SYNTAX = /^\s*(?:import|export)\b/m

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const found = await nextResolve(specifier, context)
  if (found.format === 'module' || !found.url.startsWith('file:')) return found
  const url = new URL(found.url)
  if (!TYPESCRIPT.test(url.pathname) || !MODULE_SYNTAX.test(readFileSync(url, 'utf8'))) return found
  return { ...found, format: 'module' }
}
