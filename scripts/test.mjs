/**
 * Runs the checks and tests of a tier: `node scripts/test.mjs fast|slow|heavy|examples [part of a file name ...]`.
 *
 * fast: format and lint, types, import directions, then every test of test/{unit,contract,behaviour,surface} and of the demo.
 * slow: test/{stress,slow}. heavy: test/heavy, against the built package. examples: test/examples, which installs what
 * the examples need. With parts of file names, only the tests whose path contains one of them, and no checks.
 * Stops at the first step that fails. The last thing printed is Node's own summary of the tests.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { buildSources } from './build-sources.mjs'
import { buildTests } from './build-tests.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const TIERS = {
  // A file's tests have deadlines of their own; the timeout is for one whose thread is blocked.
  fast: {
    folders: ['unit', 'contract', 'behaviour', 'surface', '../examples/demo'],
    timeoutMs: 180_000,
    files: 2,
  },
  // One file at a time: they load both cores by themselves.
  slow: { folders: ['stress', 'slow'], timeoutMs: 1_800_000, files: 1 },
  examples: { folders: ['examples'], timeoutMs: 300_000, files: 1 },
  heavy: { folders: ['heavy'], timeoutMs: 1_800_000, files: 1 },
}

const CHECKS = [
  [
    'format and lint',
    'node_modules/@biomejs/biome/bin/biome',
    ['ci', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`, '.'],
  ],
  ['types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']],
  [
    'import directions',
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src'],
  ],
]

const [tierName = 'fast', ...filters] = process.argv.slice(2)
const tier = TIERS[tierName]
if (tier === undefined) fail(`there is no tier "${tierName}": fast, slow, heavy or examples`, 2)

if (tierName === 'fast' && filters.length === 0) {
  for (const [name, script, args] of CHECKS) {
    console.log(`# ${name}`)
    const status = runNode([path.join(ROOT, script), ...args])
    if (status !== 0) fail(`${name}: failed`, status)
  }
}
console.log(`# ${tierName} tests`)
// The examples are run by the built command line, as users run them.
if (tierName === 'examples') runNode([path.join(ROOT, 'scripts/build.mjs')])
process.exitCode = tierName === 'heavy' ? await runBuilt() : await runSource()

/** From source: each file as JavaScript, nothing joined. */
async function runSource() {
  const out = path.relative(ROOT, await buildSources())
  const files = collectFiles().map((file) => path.join(out, file.replace(/\.ts$/, '.js')))
  return runTests(files, ['--enable-source-maps'])
}

async function runBuilt() {
  runNode([path.join(ROOT, 'scripts/build.mjs')])
  const files = await buildTests()
  // As users run it: with source maps, mapping the first error of a worker takes longer than the end of a run.
  return runTests(files.filter(isAsked), [])
}

function runTests(files, flags) {
  if (files.length === 0) fail(`no ${tierName} tests match ${filters.join(', ') || 'anything'}`, 2)
  return runNode([
    ...flags,
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${tier.files}`,
    `--test-timeout=${tier.timeoutMs}`,
    ...files,
  ])
}

/** Node 20's --test takes no patterns. */
function collectFiles() {
  return tier.folders
    .map((folder) => path.join('test', folder))
    .filter((folder) => existsSync(path.join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true }).map((file) => path.join(folder, file)),
    )
    .filter((file) => file.endsWith('.test.ts'))
    .filter(isAsked)
    .sort()
}

function isAsked(file) {
  return filters.length === 0 || filters.some((part) => file.includes(part))
}

/** Runs Node on the arguments; its exit code, 1 if a signal ended it. */
function runNode(args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
  if (error !== undefined) throw error
  return status ?? 1
}

function fail(message, status) {
  console.error(message)
  process.exit(status)
}
