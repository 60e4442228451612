// The code that V8 has compiled is kept between processes: seen from outside, in a process that runs the joined core.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { readCode } from '../../src/code/code-cache.ts'
import { fixture } from '../support/command.ts'
import { COMMAND, HERE, nameHere } from '../support/places.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-code-'))
after(() => rmSync(folder, { recursive: true }))
const PIPELINE = path.join(HERE, nameHere('test/fixtures/pipelines/printed.ts'))

function run(cache: string, ...flags: string[]): void {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [...flags, ...COMMAND, 'run', PIPELINE, '--items', '3', '--quiet'],
    { env: { ...process.env, MILLRACE_CODE_CACHE: cache }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  assert.equal(stdout, '1\n2\n3\n')
}

function kept(cache: string): Map<string, Buffer> {
  return new Map(readdirSync(cache).map((name) => [name, readFileSync(path.join(cache, name))]))
}

/** Until every one of its threads has found nothing new: one of them keeps its code at a time. */
function settle(cache: string): Map<string, Buffer> {
  run(cache)
  for (let before = kept(cache); ; ) {
    run(cache)
    const now = kept(cache)
    if ([...now].every(([name, bytes]) => before.get(name)?.equals(bytes))) return now
    before = now
  }
}

test('the main thread and the workers keep what they compiled, until there is no more to keep', () => {
  const cache = path.join(folder, 'settles')
  const files = settle(cache)
  assert.equal(files.size, 2)
  const uses = Object.fromEntries(
    [...files.keys()].map((name) => [
      name.replace(/.*-/, ''),
      readCode(path.join(cache, name))?.uses.toSorted(),
    ]),
  )
  assert.deepEqual(uses, {
    main: ['run completed'],
    worker: ['sink run', 'source run', 'stage run'],
  })
})

test('code that is broken is made anew; that of a V8 with other flags is passed over, and stays', () => {
  const cache = path.join(folder, 'broken')
  const files = settle(cache)
  for (const [name, bytes] of files) writeFileSync(path.join(cache, name), bytes.fill(0, 2_000))
  run(cache)
  for (const name of files.keys()) assert.ok(readCode(path.join(cache, name)), name)
  const settled = settle(cache)
  run(cache, '--no-opt')
  run(cache, '--no-opt')
  assert.deepEqual(kept(cache), settled)
})

test('where files are out of reach, or globals closed, the package is imported all the same', () => {
  const index = pathToFileURL(path.join(HERE, nameHere('src/index.ts'))).href
  const program = `Object.preventExtensions(globalThis)
    const fs = process.getBuiltinModule('fs')
    fs.existsSync = () => { throw new Error('no access') }
    const { SENTINEL } = await import(${JSON.stringify(index)})
    process.exitCode = SENTINEL === undefined ? 1 : 0`
  for (const cache of ['', path.join(folder, 'imported')]) {
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, MILLRACE_CODE_CACHE: cache },
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
  }
})

test('without a place to write, and with the cache off, all is the same', () => {
  const cache = path.join(folder, 'closed')
  writeFileSync(cache, 'a file')
  run(cache)
  assert.equal(readFileSync(cache, 'utf8'), 'a file')
  run('off')
})

test('a run that is aborted keeps nothing: its end waits for no disk', () => {
  const cache = path.join(folder, 'aborted')
  const { status, stderr } = spawnSync(
    process.execPath,
    [...COMMAND, 'run', fixture('ticks.ts'), '--items', '1000000', '--fail-at', '7', '--quiet'],
    { env: { ...process.env, MILLRACE_CODE_CACHE: cache }, encoding: 'utf8' },
  )
  assert.equal(status, 1, stderr)
  assert.equal(existsSync(cache), false)
})

const skip = (process.features as { typescript?: unknown }).typescript ? false : 'Node does not strip types'

test('where Node strips types itself, each thread keeps what is left of them, unless the cache is off', {
  skip,
}, () => {
  const index = pathToFileURL(path.join(HERE, nameHere('src/index.ts'))).href
  const file = path.join(folder, 'typed.ts')
  writeFileSync(
    file,
    `import { getCompileCacheDir } from 'node:module'
    import { definePipeline, pipeline } from ${JSON.stringify(index)}
    const main: string | undefined = getCompileCacheDir()
    export default definePipeline(import.meta.url, {}, () =>
      pipeline('typed')
        .source('source', () => ['item'])
        .stage('where', (): string => String(getCompileCacheDir()))
        .sink('print', (worker: string) => console.log(\`\${main}\\n\${worker}\`), { on: 'loop' }))`,
  )
  const placesOf = (cache: string): string[] => {
    const { NODE_COMPILE_CACHE: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, 'run', file, '--quiet'], {
      env: { ...env, MILLRACE_CODE_CACHE: cache },
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    return stdout.trim().split('\n')
  }
  const cache = path.join(folder, 'typed')
  for (const place of placesOf(cache)) assert.equal(path.dirname(place), path.join(cache, 'typescript'))
  const [version] = readdirSync(path.join(cache, 'typescript'))
  assert.ok(readdirSync(path.join(cache, 'typescript', version)).length > 0)
  assert.deepEqual(placesOf('off'), ['undefined', 'undefined'])
})

test('where no folder for it can be looked for, a pipeline in TypeScript runs all the same', {
  skip,
}, (t) => {
  const app = mkdtempSync(path.join(tmpdir(), 'millrace-closed-'))
  t.after(() => rmSync(app, { recursive: true }))
  const file = path.join(app, 'typed.ts')
  const index = pathToFileURL(path.join(HERE, nameHere('src/index.ts'))).href
  writeFileSync(
    file,
    `import { pipeline } from ${JSON.stringify(index)}
    const items: number[] = [1]
    export default pipeline('typed').source('source', items, { on: 'loop' }).sink('sink', () => {}, { on: 'loop' })`,
  )
  // What lies above the package is out of reach.
  const flags = ['--permission', '--allow-worker', ...[file, HERE].map((place) => `--allow-fs-read=${place}`)]
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const { status, stderr } = spawnSync(process.execPath, [...flags, ...COMMAND, 'run', file, '--quiet'], {
    env: { ...env, MILLRACE_CODE_CACHE: '' },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})
