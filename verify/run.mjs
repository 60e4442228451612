// Joins verify.ts and job.ts to a file each and runs the first: their code runs much faster than loaded file by file.
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))
const entries = process.env.ENTRY === undefined ? ['verify.ts', 'job.ts'] : [process.env.ENTRY]
await build({
  entryPoints: entries.map(here),
  outdir: here('../.built/verify'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  // Files find what lies beside them from there.
  define: { 'import.meta.url': JSON.stringify(new URL('joined.mjs', import.meta.url).href) },
  logLevel: 'warning',
})
const main = here(`../.built/verify/${entries[0].replace('.ts', '.mjs')}`)
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
