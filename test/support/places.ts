/** Where things are, whether a test runs as TypeScript, from the tree that scripts/build-sources.mjs makes, or joined. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const OWN = fileURLToPath(import.meta.url)

/** The project's root, with a separator at its end. */
export const ROOT = findRoot(path.dirname(OWN))

/** Of the files that are loaded here: the same, or the folder that stands for it. */
export const HERE = fileURLToPath(new URL('../../', import.meta.url))

/** Of the files of src/ and test/ as they are loaded here. */
export const EXTENSION = path.extname(OWN)

/** What Node needs to load files like this one. */
export const LOADER =
  EXTENSION === '.ts'
    ? ['--import', new URL('../../ts-register.mjs', import.meta.url).href, '--conditions=millrace-source']
    : []

function findRoot(folder: string): string {
  return existsSync(path.join(folder, 'tsconfig.json')) ? folder + path.sep : findRoot(path.dirname(folder))
}

/** The same file under the name that it has here. */
export function nameHere(file: string): string {
  return file.replace(/\.ts$/, EXTENSION)
}

/** Arguments of Node that begin `millrace`. */
export const COMMAND = [...LOADER, fileURLToPath(new URL(nameHere('../../src/cli/main.ts'), import.meta.url))]
