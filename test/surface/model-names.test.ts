import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/places.ts'

const MODEL = readFileSync(path.join(ROOT, 'verify/model/millrace.pml'), 'utf8')
/** Of the language, not of ours. */
const FOREIGN = new Set(['Atomics', 'README'])

const files = new Map<string, string>()
for (const folder of ['src', 'verify/model']) {
  for (const name of readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.ts'))
      files.set(path.basename(name), readFileSync(path.join(ROOT, folder, name), 'utf8'))
  }
}

test('every file that the model names is there', () => {
  const named = [...MODEL.matchAll(/\b[a-z-]+\.ts\b/g)].map(([name]) => name)
  assert.ok(named.length >= 5)
  assert.deepEqual(
    named.filter((name) => !files.has(name)),
    [],
  )
})

test('every function that the model says it mirrors is in the class that it says', () => {
  const named = [...MODEL.matchAll(/\b([A-Z][A-Za-z]+)\.(#?[a-z]\w*)/g)].filter(
    ([, name]) => !FOREIGN.has(name),
  )
  assert.ok(named.length >= 15)
  const missing = named.filter(([, name, member]) => {
    const text = [...files.values()].find((one) => one.includes(`class ${name} `))
    return text === undefined || !new RegExp(`^  [a-z ]*${member}\\b`, 'm').test(text)
  })
  assert.deepEqual(
    missing.map(([whole]) => whole),
    [],
  )
})
