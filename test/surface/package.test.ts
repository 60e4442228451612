// What package.json promises is there.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/places.ts'

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))

/** The source from which the build makes a file of dist/. */
function sourceOf(built: string): string {
  return built.replace('./dist/', './src/').replace(/(\.d\.ts|\.js)$/, '.ts')
}

test('every export resolves to a source, and to what the build makes of that same source', () => {
  for (const [name, conditions] of Object.entries<Record<string, string> | string>(manifest.exports)) {
    if (typeof conditions === 'string') {
      assert.ok(existsSync(path.join(ROOT, conditions)), `${name}: ${conditions}`)
      continue
    }
    const { 'millrace-source': source, types, default: built } = conditions
    assert.ok(existsSync(path.join(ROOT, source)), `${name}: ${source}`)
    assert.deepEqual([sourceOf(types), sourceOf(built)], [source, source], name)
    // The first condition that holds is taken: a default before it would hide it.
    assert.deepEqual(Object.keys(conditions), ['millrace-source', 'types', 'default'], name)
  }
})

test('the public names resolve from within, to the sources when asked for those', async () => {
  for (const name of ['millrace', 'millrace/sources', 'millrace/sinks']) {
    assert.match(import.meta.resolve(name), /\/src\/(index|sources|sinks)\.[jt]s$/)
    assert.ok(Object.keys(await import(name)).length > 0)
  }
})

test('the command has a line that says what runs it', () => {
  const source = path.join(ROOT, sourceOf(`./${manifest.bin.millrace}`))
  assert.match(readFileSync(source, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

test('what is to be published is there', () => {
  for (const entry of manifest.files) {
    // dist/ is made by the build.
    if (entry !== 'dist') assert.ok(existsSync(path.join(ROOT, entry)), `${entry} is not there`)
  }
  for (const entry of ['dist', 'README.md', 'LICENSE']) assert.ok(manifest.files.includes(entry), entry)
})

test('the oldest Node that is promised is the same everywhere', () => {
  const [, oldest] = /^>=(\d+\.\d+)$/.exec(manifest.engines.node) ?? []
  assert.ok(oldest !== undefined)
  assert.ok(readFileSync(path.join(ROOT, 'README.md'), 'utf8').includes(`Node ${oldest} or later`))
})

test('there are no run-time dependencies, and it is a module that needs no more than itself', () => {
  assert.equal(manifest.type, 'module')
  assert.equal(manifest.dependencies, undefined)
  for (const peer of Object.keys(manifest.peerDependencies)) {
    assert.equal(manifest.peerDependenciesMeta[peer].optional, true, peer)
  }
})
