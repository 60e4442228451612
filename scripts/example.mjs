/**
 * `npm run example -- NAME [--option value ...]`: installs what the example needs, says so, and runs it.
 *
 * An example is a folder of examples/. It is run by its main.mjs if it has one, else its pipeline.ts is run by the command
 * line. What it needs from the registry stands in its package.json; Millrace is this checkout.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const EXAMPLES = path.join(ROOT, 'examples')
const COMMAND = path.join(ROOT, 'dist/cli/main.js')

/** Makes an example ready to run: the build, this checkout as the package `millrace`, what it needs itself. */
export function prepareExample(name) {
  const folder = path.join(EXAMPLES, name)
  if (!existsSync(COMMAND)) {
    console.log('dist/ is missing: building')
    execFileSync(process.execPath, [path.join(ROOT, 'scripts/build.mjs')], { stdio: 'inherit' })
  }
  linkMillrace()
  if (existsSync(path.join(folder, 'package.json')) && !isInstalled(folder)) install(folder)
}

/** A folder with a package.json of its own does not see the package that it lies in by its name. */
function linkMillrace() {
  const link = path.join(EXAMPLES, 'node_modules/millrace')
  if (existsSync(link)) return
  mkdirSync(path.dirname(link), { recursive: true })
  symlinkSync(ROOT, link, 'junction')
}

/** npm keeps, beside what it installed, the lock file that it was installed from. */
function isInstalled(folder) {
  const installed = path.join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const versions = (file) => {
    const { packages } = JSON.parse(readFileSync(file, 'utf8'))
    return Object.entries(packages).filter(([place, { optional }]) => place !== '' && !optional)
  }
  const present = new Map(versions(installed))
  return versions(path.join(folder, 'package-lock.json')).every(
    ([place, { version }]) => present.get(place)?.version === version,
  )
}

function install(folder) {
  const { dependencies } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const wanted = Object.entries(dependencies).map(([name, version]) => `${name} ${version}`)
  console.log(`installing in ${path.relative(ROOT, folder)}: ${wanted.join(', ')}`)
  // Nothing that the examples use needs a script to be installed.
  const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** The exit code. */
async function run(name, args) {
  const main = path.join(EXAMPLES, name, 'main.mjs')
  const own = existsSync(main) ? [main] : [COMMAND, 'run', path.join(EXAMPLES, name, 'pipeline.ts')]
  // A terminal sends Ctrl-C to the example too, which ends by it; then we do.
  process.on('SIGINT', () => {})
  const child = spawn(process.execPath, [...own, ...args], { stdio: 'inherit' })
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [code, signal] = await once(child, 'close')
  return code ?? 128 + constants.signals[signal]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, ...args] = process.argv.slice(2)
  const names = readdirSync(EXAMPLES).filter((entry) => existsSync(path.join(EXAMPLES, entry, 'pipeline.ts')))
  if (names.includes(name)) {
    prepareExample(name)
    process.exitCode = await run(name, args)
  } else {
    console.error(`npm run example -- NAME [--option value ...], where NAME is one of: ${names.join(', ')}`)
    process.exitCode = 2
  }
}
