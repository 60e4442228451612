/**
 * Turns src/, test/ and the demo into JavaScript, and lays the files out as they lie here: a thread of a test then
 * starts as fast as a user's does. With a loader of TypeScript each thread would take several times as long.
 *
 * The core is joined as in the package; a file of it hands on its names, so a test can import any file of src/. Source
 * maps lead back to the TypeScript.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleBesideCore, joinCore, moduleInPlace } from './join-core.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What it is made of, and what is not TypeScript and lies beside it. */
const FOLDERS = ['src', 'test', 'verify', 'examples/demo']
const ALONGSIDE = ['python']
/** Of the examples, what their tests call or compare with. */
const FILES = ['examples/video/motion.ts', 'examples/video/overlay.ts']

/** What every worker loads. */
const STARTED = ['host/thread/thread-entry', 'host/process/process-entry']

/** Where the files are named that a file loads: in imports, and in places told from `import.meta.url`. */
const NAMES = /((?:\bfrom|\bimport|\bimport\()\s*|new URL\()(['"`])(\.[^'"`]*)\.ts\2/g

/** @returns the folder that stands for the project's root */
export async function buildSources(out = path.join(ROOT, '.built/source')) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(ROOT, path.join(entry.parentPath ?? entry.path, entry.name))),
  )
  files.push(...FILES)
  await build({
    absWorkingDir: ROOT,
    entryPoints: files.filter((file) => file.endsWith('.ts')),
    outbase: ROOT,
    outdir: out,
    plugins: [asJavascript],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning',
  })
  await joinSources(path.join(out, 'src'))
  for (const file of files) if (!file.endsWith('.ts')) cpSync(path.join(ROOT, file), path.join(out, file))
  // The small examples are run as they are.
  for (const name of readdirSync(path.join(ROOT, 'examples'))) {
    if (name.endsWith('.ts')) cpSync(path.join(ROOT, 'examples', name), path.join(out, 'examples', name))
  }
  for (const name of ALONGSIDE) cpSync(path.join(ROOT, name), path.join(out, name), { recursive: true })
  writeFileSync(path.join(out, 'package.json'), JSON.stringify(packageOf(), undefined, 2))
  return out
}

async function joinSources(src) {
  const core = await joinCore(src)
  for (const [file, text] of core) {
    const here = path.join(src, path.relative(path.join(ROOT, 'src'), file).replace(/\.ts$/, '.js'))
    rmSync(`${here}.map`)
    writeFileSync(here, moduleInPlace(text, here, src))
  }
  await bundleBesideCore({ core, entries: STARTED, out: src })
}

const asJavascript = {
  name: 'as-javascript',
  setup: (builder) => {
    builder.onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: readFileSync(file, 'utf8').replaceAll(NAMES, (whole, before, quote, name) =>
        isOurs(file, name) ? `${before}${quote}${name}.js${quote}` : whole,
      ),
      loader: 'ts',
    }))
  },
}

/** A file that is there; what a program in a text names is not. */
function isOurs(file, name) {
  return name.includes('${') || existsSync(path.join(path.dirname(file), `${name}.ts`))
}

/** The package's own, with its exports where the sources now are. */
function packageOf() {
  const own = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
  for (const [name, conditions] of Object.entries(own.exports)) {
    const source = conditions['millrace-source']
    if (source !== undefined) own.exports[name] = source.replace(/\.ts$/, '.js')
  }
  return own
}
