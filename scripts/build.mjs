// Makes dist/, or the folder that is named, from src/. Run by `npm ci` too (the prepare script), so that the bin works in a fresh clone.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleBesideCore, COMMON, joinCore } from './join-core.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = path.resolve(process.argv[2] ?? `${root}dist`)
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

/** What is imported or started by its name. */
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
  'otel',
  'cli/main',
  'cli/stress/graph-module',
  'cli/stress/printed-graph-module',
  'host/thread/thread-entry',
  'host/process/process-entry',
  'host/process/process-proxy',
  'run/worker-stack',
]

/** Hooks of the module loader, in threads of their own that load nothing else. */
const HOOKS = ['typescript-format', 'typescript-recorder', 'typescript-player']

rmSync(out, { recursive: true, force: true })
for (const entry of ENTRIES) mkdirSync(path.dirname(path.join(out, entry)), { recursive: true })
await bundleBesideCore({ core: await joinCore(out), entries: ENTRIES, out })
await build({
  ...COMMON,
  entryPoints: HOOKS.map((name) => `${root}src/host/${name}.ts`),
  outdir: `${out}/host`,
})
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`, '--outDir', out], {
  stdio: 'inherit',
})
chmodSync(`${out}/cli/main.js`, 0o755)
