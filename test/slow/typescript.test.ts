// The compiled build runs TypeScript pipelines on a Node that does not strip types: tsx in the main thread, what it
// made in the workers.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { after } from 'node:test'
import { pathToFileURL } from 'node:url'
import { test } from '../support/harness.ts'
import { ROOT } from '../support/places.ts'

const require = createRequire(import.meta.url)
const skip =
  'typescript' in process.features && process.features.typescript ? 'Node strips types itself' : false
const options = { skip, deadlineMs: 60_000 }
const hasChildrenFile = existsSync(`/proc/self/task/${process.pid}/children`)

const PIPELINE = `
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { definePipeline, pipeline } from 'millrace'
import { writeLines } from 'millrace/sinks'
import { shout } from './lib/shout.ts'
import { twice } from './lib/twice.js'
import { legacy } from './lib/legacy.cts'
import table from './lib/table.json'

interface Late { late(text: string): string }

// Workers inherit it.
process.env.MAIN ??= String(children())

const OPTIONS = {
  fail: { type: 'boolean', default: false, doc: 'Fail here.' },
  late: { type: 'boolean', default: false, doc: 'Import more when the stage opens.' },
} as const

export default definePipeline(import.meta.url, OPTIONS, ({ fail, late }) =>
  pipeline('p')
    .source('source', () => ['a'])
    .stage('work', {
      open: (): Promise<Late> | Late => (late ? import('./lib/late.js') : { late: () => \`\${children() - Number(process.env.MAIN)}\` }),
      process: (text: string, { late }: Late) => {
        if (fail) throw new Error('asked to')
        return JSON.stringify([shout(twice(text)), legacy, table.number, late(text), import.meta.url])
      },
    })
    .sink('out', writeLines(process.stdout.fd)),
)

/** How many processes this one has started: tsx starts one in each thread where it compiles. */
function children(): number {
  const tasks = existsSync('/proc/self/task') ? readdirSync('/proc/self/task') : []
  return tasks.flatMap((task) => childrenOf(task).match(/\\d+/g) ?? []).length
}

function childrenOf(task: string): string {
  try {
    return readFileSync(\`/proc/self/task/\${task}/children\`, 'utf8')
  } catch {
    return '' // It has ended.
  }
}
`
const FILES: Record<string, string> = {
  'package.json': '{}',
  'pipeline.ts': PIPELINE,
  'lib/shout.ts':
    'enum Mark { End = "!" }\nexport const shout = (text: string): string => text.toUpperCase() + Mark.End\n',
  'lib/twice.ts':
    'import { dash } from "./dash.js"\nexport const twice = (text: string): string => text + dash + text\n',
  'lib/dash.ts': 'export const dash: string = "-"\n',
  'lib/legacy.cts': 'const { deep } = require("./deep.cts")\nexport const legacy: string = deep + "er"\n',
  'lib/deep.cts': 'export const deep: string = "deep"\n',
  'lib/table.json': '{ "number": 7 }',
  'lib/late.ts': `import { dash } from './dash.js'
import { later } from './later.js'

interface Never { never: true }

export function late(text: string): string {
  if (process.env.LATE_FAILS) throw new Error('late')
  return text + dash + later + ' ' + import.meta.url
}
`,
  'lib/later.ts': 'export const later: string = "later"\n',
  'by-url.ts': `import { start } from 'millrace'
const report = await (await start(new URL('./pipeline.ts', import.meta.url), { late: true })).join()
console.log(report.outcome as string)
`,
  'by-module.ts': `import { start } from 'millrace'
import pipeline from './pipeline.ts'
for (const what of [pipeline, new URL('./pipeline.ts', import.meta.url), pipeline]) {
  console.log((await (await start(what, { late: true })).join()).outcome as string)
}
`,
  'script.js': `import { start } from 'millrace'
await (await start(new URL('./pipeline.ts', import.meta.url))).join()
await (await start(new URL('./plain.js', import.meta.url))).join()
`,
  'plain.js': `import { definePipeline } from 'millrace'
import { plain } from './plain-stages.ts'
export default definePipeline(import.meta.url, {}, () => plain)
`,
  'plain-stages.ts': `import { pipeline } from 'millrace'
import { writeLines } from 'millrace/sinks'
import { ROOT } from '../support/places.ts'
const text: string = 'plain'
export const plain = pipeline('plain').source('source', () => [text]).sink('out', writeLines(process.stdout.fd))
`,
}

const made: string[] = []
let built: string | undefined
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true })
})

/** A copy of this package, compiled; where it is, it finds tsx. */
function build(): string {
  if (built !== undefined) return built
  mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true })
  built = mkdtempSync(join(ROOT, 'node_modules/.cache/millrace-'))
  made.push(built)
  cpSync(join(ROOT, 'package.json'), join(built, 'package.json'))
  execFileSync(process.execPath, ['scripts/build.mjs', join(built, 'dist')], {
    cwd: ROOT,
  })
  return built
}

/** A folder of a user, who has installed millrace. */
function project(packageJson: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  made.push(folder)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(build(), join(folder, 'node_modules/millrace'))
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson))
  return folder
}

interface RunEnd {
  status: number | null
  stdout: string
  stderr: string
}

function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunEnd {
  return spawnSync(process.execPath, args, {
    encoding: 'utf8',
    // Without its cache, tsx starts a process wherever it compiles.
    env: { ...process.env, TSX_DISABLE_CACHE: '1', ...env },
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
}

function millrace(folder: string, args: readonly string[], env?: NodeJS.ProcessEnv): RunEnd {
  return node(
    [join(build(), 'dist/cli/main.js'), 'run', join(folder, 'pipeline.ts'), '--quiet', ...args],
    env,
  )
}

/** What the pipeline prints. */
function line(folder: string, late: string): string {
  return `${JSON.stringify(['A-A!', 'deeper', 7, late, urlIn(folder, 'pipeline.ts')])}\n`
}

function lateLine(folder: string): string {
  return line(folder, `a-later ${urlIn(folder, 'lib/late.ts')}`)
}

function urlIn(folder: string, name: string): string {
  return pathToFileURL(join(folder, name)).href
}

/** Where the first line with this text is thrown. */
function placeOf(folder: string, name: string, text: string): string {
  const number = FILES[name].split('\n').findIndex((line) => line.includes(text)) + 1
  return `${join(folder, name)}:${number}:`
}

for (const packageJson of [{}, { type: 'module' }]) {
  const where = `in a folder whose package.json is ${JSON.stringify(packageJson)}`

  test(`workers run what the main thread compiled, ${where}`, {
    ...options,
    skip: skip || (hasChildrenFile ? false : 'counts processes by /proc'),
  }, () => {
    const folder = project(packageJson)
    const { status, stdout, stderr } = millrace(folder, [])
    assert.equal(stderr, '')
    assert.equal(stdout, line(folder, '0'))
    assert.equal(status, 0)
  })

  test(`a TypeScript module that only a worker imports is loaded, ${where}`, options, () => {
    const folder = project(packageJson)
    const { status, stdout, stderr } = millrace(folder, ['--late'])
    assert.equal(stderr, '')
    assert.equal(stdout, lateLine(folder))
    assert.equal(status, 0)
  })
}

test('a failure in a worker tells the line of the TypeScript file', options, () => {
  const folder = project()
  const { status, stderr } = millrace(folder, ['--fail'])
  assert.ok(stderr.includes(placeOf(folder, 'pipeline.ts', "new Error('asked to')")), stderr)
  assert.equal(status, 1)
})

test('a failure in a module that only a worker imports tells its line', options, () => {
  const folder = project()
  const { status, stderr } = millrace(folder, ['--late'], { LATE_FAILS: '1' })
  assert.ok(stderr.includes(placeOf(folder, 'lib/late.ts', "new Error('late')")), stderr)
  assert.equal(status, 1)
})

test('a JavaScript pipeline that imports TypeScript runs after one in TypeScript', options, () => {
  const folder = project({ type: 'module' })
  const { status, stdout, stderr } = node([join(folder, 'script.js')])
  assert.equal(stderr, '')
  assert.equal(stdout, `${line(folder, '0')}plain\n`)
  assert.equal(status, 0)
})

test('a program under --import tsx starts pipelines, those that it has imported too', options, () => {
  const folder = project({ type: 'module' })
  const tsx = ['--import', pathToFileURL(require.resolve('tsx')).href]
  const byUrl = node([...tsx, join(folder, 'by-url.ts')])
  assert.equal(byUrl.stderr, '')
  assert.equal(byUrl.stdout, `${lateLine(folder)}completed\n`)
  const byModule = node([...tsx, join(folder, 'by-module.ts')])
  assert.equal(byModule.stderr, '')
  assert.equal(byModule.stdout, `${lateLine(folder)}completed\n`.repeat(3))
})
