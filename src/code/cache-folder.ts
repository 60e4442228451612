/** Where what V8 and Node make of code is kept between processes. */
import { existsSync } from 'node:fs'
import path from 'node:path'

/** The folder for it, or one of `OFF`. */
export const CODE_CACHE_VARIABLE = 'MILLRACE_CODE_CACHE'
const OFF = new Set(['off', 'false', '0'])

/**
 * Where the code is kept: `.cache/millrace` in the nearest `node_modules`, as build tools have it.
 * @param from a folder of the package
 * @returns undefined: it is not to be kept, or there is no such place
 */
export function codeCacheFolder(from: string): string | undefined {
  const asked = process.env[CODE_CACHE_VARIABLE]
  // Coverage counts in code that was compiled for it.
  if (OFF.has(asked ?? '') || process.env.NODE_V8_COVERAGE !== undefined) return undefined
  if (asked !== undefined && asked !== '') return path.resolve(asked)
  for (let folder = from; ; folder = path.dirname(folder)) {
    const modules = path.basename(folder) === 'node_modules' ? folder : path.join(folder, 'node_modules')
    if (existsSync(modules)) return path.join(modules, '.cache', 'millrace')
    if (folder === path.dirname(folder)) return undefined
  }
}
