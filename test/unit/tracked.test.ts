import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { isTracked, track } from '../../src/tracked.ts'
import { nameHere, ROOT } from '../support/places.ts'

test('a tracked item is told from every other value', () => {
  assert.equal(isTracked(track(1)), true)
  for (const value of [1, null, undefined, 'x', {}, [], Symbol.for('millrace.tracked')]) {
    assert.equal(isTracked(value), false)
  }
})

test('one made by another copy of the package is one too', async () => {
  // As JavaScript in a folder of its own, with what it imports from the first copy.
  const { outputText } = ts.transpileModule(readFileSync(path.join(ROOT, 'src/tracked.ts'), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  const source = outputText.replaceAll(/from '(\..*?)'/g, (_, name: string) => {
    return `from '${new URL(nameHere(`../../src/${name}`), import.meta.url).href}'`
  })
  const copy = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  assert.notEqual(copy.track, track)
  assert.equal(isTracked(copy.track(1)), true)
})

test('it holds the value as it is', () => {
  const value = { a: 1 }
  assert.equal(track(value).value, value)
  assert.equal(track(undefined).value, undefined)
})

test('its position is that of the moment when it was tracked', () => {
  const cursor = { offset: 1 }
  const tracked = track('item', { position: cursor })
  cursor.offset = 2
  assert.deepEqual(tracked.position, { offset: 1 })
})

test('a position that cannot be copied is refused at once', () => {
  assert.throws(() => track(1, { position: { seek: () => 1 } }), { code: 'MILLRACE_BAD_CHECKPOINT' })
})
