/**
 * The core, all that `millrace` and a worker's thread import, as one file: a worker loads it in a fraction of the time
 * that a file for each module takes. What was a module of it becomes a few names in that file; whoever imports such a
 * module is given those. So there is one copy of everything, however it is imported.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SRC = path.join(ROOT, 'src')
const ROOTS = ['index.ts', 'host/thread/thread-entry.ts'].map((file) => path.join(SRC, file))
/** In its place a path from the file to the core is written, when it is known where the file lies. */
const CORE = 'the-core:'

/** How everything is bundled. */
export const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
}

/**
 * Writes `host/core.cjs` into the folder, a script that src/code/load-code.ts runs, and `host/core.js`, a module that has
 * it run and hands on what it gives. It is a script because V8's code can be kept for those, and for no module in Node 20.
 * src/host/own-files.ts tells places from there.
 * @returns for each file of the core what a module in its place says
 */
export async function joinCore(out) {
  const files = await coreFiles()
  const names = await exportsOf(files)
  const lines = files.map((file, index) => {
    const taken = names.get(file).map((name) => `${name} as ${nameInCore(index, name)}`)
    return taken.length > 0
      ? `export { ${taken.join(', ')} } from ${JSON.stringify(file)}`
      : `import ${JSON.stringify(file)}`
  })
  const { outputFiles } = await build({
    ...COMMON,
    stdin: { contents: lines.join('\n'), resolveDir: ROOT },
    outfile: path.join(out, 'host/core.cjs'),
    plugins: [laterFilesApart],
    // What is joined is kept whole.
    ignoreAnnotations: true,
    define: { 'import.meta.url': 'ownUrl', 'import.meta.resolve': 'ownResolve' },
    write: false,
  })
  mkdirSync(path.join(out, 'host'), { recursive: true })
  for (const { path: file, text } of outputFiles) {
    writeFileSync(file, file.endsWith('.map') ? text : asScript(text))
  }
  await writeHome(path.join(out, 'host/core.js'), readFileSync(path.join(out, 'host/core.cjs')))
  return new Map(
    files.map((file, index) => {
      const given = names.get(file).map((name) => `export const ${name} = core.${nameInCore(index, name)}`)
      return [file, [`import { core } from '${CORE}'`, ...given].join('\n')]
    }),
  )
}

/** A module as the function that src/code/load-code.ts calls; each line stays where it is, for the source map. */
function asScript(module) {
  const body = withBuiltins(module, 'builtin')
    .replace(
      /^export \{([^}]*)\};$/m,
      (_, names) => `return {${names.replaceAll(/(\w+) as (\w+)/g, '$2: $1')}};`,
    )
    .replaceAll('await import(', 'await ownImport(')
  const left = body.match(/^(?:import|export)\b.*$|^.*\bimport\(.*$/m)
  if (left !== null) throw new Error(`this is not known to be turned into a script: ${left[0]}`)
  return `(function (builtin, ownUrl, ownResolve, ownImport) { "use strict"; ${body.replace(/^\/\/# source/m, '})\n$&')}`
}

/** Asks for the built-in modules instead of importing them, which has Node make a module of all that each exports. */
function withBuiltins(module, ask) {
  return module.replaceAll(
    /^import (?:(\w+)(?:, | ))?(?:\{([^}]*)\} )?from ("node:[^"]+");$/gm,
    (line, whole, names, from) => {
      if (/\bdefault\b/.test(names)) throw new Error(`this is not known to be asked for: ${line}`)
      const pattern = names?.replaceAll(/(\w+) as (\w+)/g, '$1: $2')
      return [whole, pattern && `{${pattern}}`]
        .filter(Boolean)
        .map((taken) => `const ${taken} = ${ask}(${from});`)
        .join(' ')
    },
  )
}

/** One name for all of them: a module takes 10 us for each name that it exports. */
async function writeHome(file, script) {
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16)
  const home = `{ script: './core.cjs', hash: '${hash}', meta: import.meta, load: (name) => import(name) }`
  const { outputFiles } = await build({
    ...COMMON,
    stdin: {
      contents: `import { loadCode } from './code/load-code.ts'\nexport const core = loadCode(${home})`,
      resolveDir: SRC,
    },
    sourcemap: false,
    sourcesContent: undefined,
    write: false,
  })
  writeFileSync(file, withBuiltins(outputFiles[0].text, 'globalThis.process.getBuiltinModule'))
}

/** Bundles files of src/, by their names without an extension; what is in the core is taken from there. */
export async function bundleBesideCore({ core, entries, out }) {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: entries.map((entry) => ({ in: path.join(SRC, `${entry}.ts`), out: entry })),
    outdir: out,
    splitting: true,
    chunkNames: 'host/[name]-[hash]',
    write: false,
    plugins: [fromCore(core)],
  }).then(writeAll)
  for (const { path: file } of outputFiles) if (file.endsWith('.js')) nameCore(file, out)
}

/** The text of a module in the place of one of the core's, in a file of `out`. */
export function moduleInPlace(text, file, out) {
  return text.replaceAll(`'${CORE}'`, JSON.stringify(pathToCore(file, out)))
}

function nameInCore(index, name) {
  return `c${index}_${name}`
}

/** What is imported as soon as the roots are, but for the entry of a thread itself. */
async function coreFiles() {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: ROOTS,
    outdir: 'nowhere',
    write: false,
    metafile: true,
    splitting: true,
  })
  const found = new Set()
  const visit = (file) => {
    if (found.has(file)) return
    found.add(file)
    for (const { path: next, kind, external } of metafile.inputs[file].imports) {
      if (kind === 'import-statement' && external !== true) visit(next)
    }
  }
  for (const root of ROOTS) visit(path.relative(ROOT, root))
  found.delete('src/host/thread/thread-entry.ts')
  return [...found].sort().map((file) => path.join(ROOT, file))
}

async function exportsOf(files) {
  const { metafile } = await build({
    ...COMMON,
    bundle: false,
    packages: undefined,
    sourcemap: false,
    sourcesContent: undefined,
    entryPoints: files,
    outbase: ROOT,
    outdir: 'nowhere',
    write: false,
    metafile: true,
  })
  return new Map(
    Object.values(metafile.outputs).map(({ entryPoint, exports }) => [path.join(ROOT, entryPoint), exports]),
  )
}

/** What is imported only when it is needed stays a file of its own. */
const laterFilesApart = {
  name: 'later-files-apart',
  setup: (builder) => {
    builder.onResolve({ filter: /^\..*\.ts$/ }, ({ path: name, kind, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined
      const file = path.relative(path.join(SRC, 'host'), path.join(resolveDir, name)).replace(/\.ts$/, '.js')
      return { path: file.startsWith('.') ? file : `./${file}`, external: true }
    })
  },
}

function fromCore(core) {
  return {
    name: 'from-core',
    setup: (builder) => {
      builder.onResolve({ filter: /\.ts$/ }, ({ path: name, resolveDir, importer }) => {
        const file = path.resolve(resolveDir, name)
        if (!core.has(file)) return undefined
        // One for each who imports it: what several share would become a file of its own.
        return {
          path: path.relative(ROOT, file),
          suffix: `?for=${path.relative(ROOT, importer)}`,
          namespace: 'core',
        }
      })
      builder.onResolve({ filter: new RegExp(`^${CORE}$`) }, () => ({ path: CORE, external: true }))
      builder.onLoad({ filter: /.*/, namespace: 'core' }, ({ path: file }) => ({
        contents: core.get(path.join(ROOT, file)),
      }))
    },
  }
}

function writeAll(result) {
  for (const { path: file, text } of result.outputFiles) {
    writeFileSync(
      file,
      file.endsWith('.js') ? withBuiltins(text, 'globalThis.process.getBuiltinModule') : text,
    )
  }
  return result
}

function nameCore(file, out) {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replaceAll(`"${CORE}"`, JSON.stringify(pathToCore(file, out))))
}

function pathToCore(file, out) {
  const name = path.relative(path.dirname(file), path.join(out, 'host/core.js'))
  return name.startsWith('.') ? name : `./${name}`
}
