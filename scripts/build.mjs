// Compiles src/ to dist/. Run by `npm ci` too (the prepare script), so that the bin works in a fresh clone.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
rmSync(`${root}dist`, { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })
try {
  chmodSync(`${root}dist/cli/main.js`, 0o755)
} catch {
  // No command line in this build.
}
