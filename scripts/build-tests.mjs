/**
 * Builds the heavy tests, and the pipelines they run, against the built package: threads start there as fast as they do
 * for users. Gives the paths of the built tests.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OUT = path.join(ROOT, '.built')

/** Whatever the source exports, the package does. */
const asPackage = {
  name: 'as-package',
  setup: (builder) => {
    builder.onResolve({ filter: /\/src\/(index|errors)\.ts$/ }, () => ({ path: 'millrace', external: true }))
    // A pipeline's module is imported by its place: it stays a file of its own.
    builder.onResolve({ filter: /^\.\.\/fixtures\/pipelines\/.*\.ts$/ }, ({ path: file }) => ({
      path: file.replace(/\.ts$/, '.js'),
      external: true,
    }))
  },
}

export async function buildTests(folder = 'heavy') {
  const tests = filesOf(`test/${folder}`, '.test.ts')
  rmSync(OUT, { recursive: true, force: true })
  if (!existsSync(path.join(ROOT, 'dist/index.js'))) throw new Error('there is no dist/: run npm run build')
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...tests, ...filesOf('test/fixtures/pipelines', '.ts')],
    outbase: ROOT,
    outdir: OUT,
    bundle: true,
    packages: 'external',
    plugins: [asPackage],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  })
  return tests.map((file) => path.join('.built', file.replace(/\.ts$/, '.js')))
}

function filesOf(folder, ending) {
  return readdirSync(path.join(ROOT, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => path.join(folder, file))
    .sort()
}
