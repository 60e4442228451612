import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { ROOT } from '../support/places.ts'

const SRC = path.join(ROOT, 'src/')
const BUILT = mkdtempSync(path.join(tmpdir(), 'millrace-imports-'))
after(() => rmSync(BUILT, { recursive: true }))

// As JavaScript, because a loader of TypeScript loads half of Node itself.
writeFileSync(path.join(BUILT, 'package.json'), '{ "type": "module" }')
for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts')) continue
  const { outputText } = ts.transpileModule(readFileSync(path.join(SRC, file), 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  })
  const target = path.join(BUILT, file.replace(/\.ts$/, '.js'))
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, outputText)
}

interface Effects {
  /** Built-in modules that were not loaded before. */
  modules: string[]
  globals: string[]
  resources: string[]
  signalHandlers: number
}

/** What importing an entry file does to a process that has loaded nothing yet. */
function effectsOf(entry: string): Effects {
  const code = `
    const fs = await import('node:fs')
    // From Node 22 on, importing it opens stderr: whoever imports it, and almost everyone does.
    await import('node:util')
    const names = () => process.moduleLoadList.filter((name) => name.startsWith('NativeModule '))
    const before = new Set(names())
    const globals = new Set(Object.getOwnPropertyNames(globalThis))
    // A closing file is the loader's.
    const handles = () => process.getActiveResourcesInfo().filter((kind) => kind !== 'CloseReq')
    const resources = handles().length
    await import(${JSON.stringify(pathToFileURL(path.join(BUILT, entry)).href)})
    fs.writeSync(1, JSON.stringify({
      modules: names().filter((name) => !before.has(name)).map((name) => name.slice('NativeModule '.length)),
      globals: Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name)),
      resources: handles().slice(resources),
      signalHandlers: process.listenerCount('SIGINT') + process.listenerCount('SIGTERM'),
    }))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: {},
    timeout: 20_000,
  })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return JSON.parse(stdout)
}

const HEAVY = [
  'http',
  'https',
  'http2',
  'child_process',
  'tls',
  'dgram',
  'cluster',
  'repl',
  'inspector',
  'readline',
]

for (const entry of ['index.js', 'sources.js', 'sinks.js']) {
  test(`importing ${entry} loads no module that has to do with networks, processes or terminals`, () => {
    const { modules } = effectsOf(entry)
    assert.ok(modules.length < 40, `it loads ${modules.length} modules: ${modules.join(', ')}`)
    for (const heavy of HEAVY) assert.ok(!modules.includes(heavy), `${heavy} is loaded`)
  })

  test(`importing ${entry} opens no standard stream`, () => {
    // `import process from 'node:process'` does: it reads every property of process.
    const { modules } = effectsOf(entry)
    for (const stream of ['net', 'tty', 'internal/fs/sync_write_stream']) {
      assert.ok(!modules.includes(stream), `${stream} is loaded`)
    }
  })

  test(`importing ${entry} changes nothing in the process`, () => {
    const { globals, resources, signalHandlers } = effectsOf(entry)
    assert.deepEqual(
      { globals, resources, signalHandlers },
      { globals: [], resources: [], signalHandlers: 0 },
    )
  })
}

test('the entry files export nothing but what they are meant to', async () => {
  const names = async (entry: string) =>
    Object.keys(await import(pathToFileURL(path.join(BUILT, entry)).href))
  const found = {
    index: await names('index.js'),
    sources: await names('sources.js'),
    sinks: await names('sinks.js'),
    command: await names('command.js'),
    testing: await names('testing.js'),
    media: await names('media.js'),
    onnx: await names('onnx.js'),
    prometheus: await names('prometheus.js'),
  }
  assert.deepEqual(found, {
    index: [
      'BoundedQueue',
      'EMPTY',
      'MillraceError',
      'PipelineError',
      'PipelineManager',
      'PipelineStage',
      'SENTINEL',
      'StopEvent',
      'definePipeline',
      'isMain',
      'pipeline',
      'robustPut',
      'robustPutSync',
      'start',
      'track',
    ],
    sources: ['readLines'],
    sinks: ['writeLines'],
    command: ['command'],
    testing: ['Simulation', 'openSimulation', 'simulate'],
    media: ['audioSamples', 'encodeAudio', 'encodeVideo', 'probeMedia', 'videoFrames'],
    onnx: ['inference'],
    prometheus: ['registerMetrics', 'renderMetrics', 'serveMetrics'],
  })
})
