// Makes dist/, or the folder that is named, from src/. Run by `npm ci` too (the prepare script), so that the bin works in a fresh clone.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
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

rmSync(out, { recursive: true, force: true })
await build({
  entryPoints: ENTRIES.map((entry) => `${root}src/${entry}.ts`).filter(existsSync),
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
