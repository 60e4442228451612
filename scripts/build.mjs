// Makes dist/, or the folder that is named, from src/. Run by `npm ci` too (the prepare script), so that the bin works in a fresh clone.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = process.argv[2] ?? `${root}dist`
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

// What is imported or started by its name; everything else is joined into few files: a worker loads all it needs in
// a third of the time that a file for each module takes.
const ENTRIES = [
  'index',
  'sources',
  'sinks',
  'command',
  'python',
  'testing',
  'media',
  'onnx',
  'prometheus',
  'cli/main',
  'cli/stress/graph-module',
  'cli/stress/printed-graph-module',
  'host/thread/thread-entry',
  'host/process/process-entry',
  'host/typescript-format',
  'host/typescript-recorder',
  'host/typescript-player',
]

// What is common to entries becomes a chunk for each set of entries that share it. These are made to share all of the
// core, so that it is one chunk: every further file costs each worker a millisecond or two when it starts.
const WITH_CORE = new Set(ENTRIES.filter((entry) => !/^cli\/|typescript-/.test(entry)))
const NOT_CORE = /(-entry|worker-stack|typescript-(format|recorder|player))\.ts$/
const CORE = [
  '',
  'define/',
  'plan/',
  'queue/',
  'queue/codec/',
  'observe/',
  'host/',
  'host/thread/',
  'run/',
].flatMap((folder) =>
  readdirSync(`${root}src/${folder}`)
    .filter((file) => file.endsWith('.ts') && !NOT_CORE.test(file))
    .filter((file) => folder !== '' || !ENTRIES.includes(file.slice(0, -3)))
    .map((file) => `${root}src/${folder}${file}`),
)
const oneCore = {
  name: 'one-core',
  setup: (builder) => {
    builder.onResolve({ filter: /^(with-core|core):/ }, ({ path, pluginData }) => {
      const isEntry = path.startsWith('with-core:')
      return {
        path: path.slice(path.indexOf(':') + 1),
        namespace: isEntry ? 'with-core' : 'core',
        pluginData,
        sideEffects: true,
      }
    })
    builder.onLoad({ filter: /.*/, namespace: 'with-core' }, ({ path }) => ({
      contents: `import 'core:all'\nexport * from '${root}src/${path}.ts'`,
      resolveDir: root,
    }))
    builder.onLoad({ filter: /.*/, namespace: 'core' }, () => ({
      contents: CORE.map((file) => `import 'kept:${file}'`).join('\n'),
      resolveDir: root,
    }))
    builder.onResolve({ filter: /^kept:/ }, ({ path }) => ({
      path: path.slice('kept:'.length),
      sideEffects: true,
    }))
  },
}

rmSync(out, { recursive: true, force: true })
await build({
  entryPoints: ENTRIES.filter((entry) => existsSync(`${root}src/${entry}.ts`)).map((entry) => ({
    in: WITH_CORE.has(entry) ? `with-core:${entry}` : `${root}src/${entry}.ts`,
    out: entry,
  })),
  plugins: [oneCore],
  // What is joined is kept whole.
  ignoreAnnotations: true,
  outbase: `${root}src`,
  outdir: out,
  // src/host/own-files.ts tells places from there.
  chunkNames: 'host/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`, '--outDir', out], {
  stdio: 'inherit',
})
chmodSync(`${out}/cli/main.js`, 0o755)
