/**
 * Where this package's own files lie that are started by their names: a thread's entry, hooks of the module loader.
 *
 * The built package is joined into a few files, all of them in this file's folder or with its entries in their own: only
 * here may a place be told from `import.meta.url`.
 */

/** Whether this is the source: then Node, or what loads it, knows TypeScript. */
export const isSource = import.meta.url.endsWith('.ts')

/** A file of src/host, by its name without an extension. */
export function ownFile(name: string): URL {
  return new URL(`./${name}${isSource ? '.ts' : '.js'}`, import.meta.url)
}

/** A file or folder of the package that is no code of ours in JavaScript, by its path from the package's root. */
export function packageFile(name: string): URL {
  return new URL(`../../${name}`, import.meta.url)
}
