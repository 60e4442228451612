// What is there to be measured: the packages of this folder, and the programs of native/, which are built where their
// compiler is installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const BENCH = fileURLToPath(new URL('..', import.meta.url))
const BUILT = path.join(BENCH, '.built')

/** How each native program is built (nothing to do for Python) and run, and how its version is asked. */
export const TOOLS = {
  python: { version: ['python3', '--version'], run: ['python3', 'native/chain.py'] },
  go: {
    version: ['go', 'version'],
    build: ['go', 'build', '-o', '.built/chain-go', 'native/chain.go'],
    run: ['.built/chain-go'],
    install: 'apt-get install golang-go',
  },
  rust: {
    version: ['rustc', '--version'],
    build: ['rustc', '--edition', '2021', '-O', '-o', '.built/chain-rust', 'native/chain.rs'],
    run: ['.built/chain-rust'],
    install: 'apt-get install rustc',
  },
  tbb: {
    version: ['g++', '--version'],
    build: ['g++', '-O2', '-std=c++17', '-o', '.built/chain-tbb', 'native/chain.cpp', '-ltbb'],
    run: ['.built/chain-tbb'],
    install: 'apt-get install g++ libtbb-dev',
  },
}

/** Makes dist/, which the sides import, if it is older than a file of src/. */
export function buildPackage() {
  const root = path.join(BENCH, '..')
  const built = path.join(root, 'dist/index.js')
  const newest = readdirSync(path.join(root, 'src'), { recursive: true })
    .map((file) => statSync(path.join(root, 'src', file)).mtimeMs)
    .reduce((a, b) => Math.max(a, b))
  if (existsSync(built) && statSync(built).mtimeMs > newest) return
  console.error('# npm run build')
  execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: ['ignore', 2, 2] })
}

/** Installs the packages of this folder, if one is missing. Without a network they stay so. */
export function installPeers() {
  const { dependencies } = JSON.parse(readFileSync(path.join(BENCH, 'package.json'), 'utf8'))
  if (Object.keys(dependencies).every((peer) => versionOf(peer) === dependencies[peer])) return
  console.error('# npm ci, in bench/')
  spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: BENCH,
    stdio: ['ignore', 2, 2],
  })
}

/** The version of a package of this folder; undefined: it is not installed. */
export function versionOf(peer) {
  const manifest = path.join(BENCH, 'node_modules', peer, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined
}

/**
 * How a side is run (a command and its first arguments), or why it cannot be.
 *
 * @param build whether to compile what is not compiled yet
 */
export function prepare(side, build) {
  if (side.peer !== undefined && versionOf(side.peer) === undefined) {
    return { missing: `${side.peer} is not installed: npm ci in bench/` }
  }
  if (side.tool === undefined)
    return { command: [process.execPath, path.join(BENCH, 'sides', `${side.file}.mjs`)] }
  return prepareTool(side.tool, build)
}

const prepared = new Map()

function prepareTool(name, build) {
  if (!prepared.has(name)) prepared.set(name, buildTool(TOOLS[name], build))
  return prepared.get(name)
}

function buildTool(tool, build) {
  const [compiler] = tool.version
  if (firstLine(tool.version) === undefined) {
    return { missing: `${compiler} is not installed${tool.install ? `: ${tool.install}` : ''}` }
  }
  const [program, ...first] = tool.run
  const command = [
    tool.build ? path.join(BENCH, program) : program,
    ...first.map((file) => path.join(BENCH, file)),
  ]
  if (tool.build === undefined || isFresh(command[0], tool.build)) return { command }
  if (!build) return { missing: 'not compiled yet: a run without --quick does it' }
  mkdirSync(BUILT, { recursive: true })
  const { status, stderr } = spawnSync(tool.build[0], tool.build.slice(1), { cwd: BENCH, encoding: 'utf8' })
  if (status === 0) return { command }
  const reason = stderr.split('\n').find((line) => /error/.test(line)) ?? stderr.trim()
  return { missing: `it cannot be compiled: ${reason}; ${tool.install}` }
}

function isFresh(program, build) {
  const source = build.find((argument) => argument.startsWith('native/'))
  return existsSync(program) && statSync(program).mtimeMs > statSync(path.join(BENCH, source)).mtimeMs
}

/** Versions of everything that sides of these are made with. */
export function versionsOf(sides) {
  const peers = [...new Set(sides.flatMap((side) => side.peer ?? []))].map((peer) => [peer, versionOf(peer)])
  const tools = [...new Set(sides.flatMap((side) => side.tool ?? []))].map((tool) => [
    tool,
    toolVersion(tool),
  ])
  return Object.fromEntries([...peers, ...tools].filter(([, version]) => version !== undefined))
}

function toolVersion(name) {
  const version = firstLine(TOOLS[name].version)
  return name === 'tbb' && version ? `oneTBB ${tbbVersion() ?? '?'}, ${version}` : version
}

function tbbVersion() {
  const header = '/usr/include/oneapi/tbb/version.h'
  if (!existsSync(header)) return undefined
  const text = readFileSync(header, 'utf8')
  const part = (name) => new RegExp(`#define TBB_VERSION_${name} (\\d+)`).exec(text)?.[1]
  return `${part('MAJOR')}.${part('MINOR')}`
}

function firstLine([command, ...args]) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}

/** Where packages are resolved that only the harness itself needs. */
export const requirePeer = createRequire(path.join(BENCH, 'package.json'))
