import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, test } from 'node:test'
import { CODE_CACHE_VARIABLE, codeCacheFolder } from '../../src/code/cache-folder.ts'
import { codeFile, readCode, writeCode } from '../../src/code/code-cache.ts'

const DAY_S = 24 * 3_600
const code = Buffer.from(Array.from({ length: 1_001 }, (_, at) => at % 251))
const uses = ['stage run', 'sink abort']
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millrace-code-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

test('what is kept is read as it was, from a folder that was not there', () => {
  const file = path.join(folder, 'new/cache/one')
  writeCode(file, { uses, code })
  const kept = readCode(file)
  assert.deepEqual(kept?.uses, uses)
  assert.ok(kept.code.equals(code))
  assert.deepEqual(readdirSync(path.dirname(file)), ['one'])
})

test('nothing is read from a file that is not there, or of which one byte is another', () => {
  const file = path.join(folder, 'one')
  assert.equal(readCode(file), undefined)
  writeCode(file, { uses, code })
  const whole = readFileSync(file)
  for (let at = 0; at < whole.length; at++) {
    whole[at] ^= 1
    writeFileSync(file, whole)
    assert.equal(readCode(file), undefined, `byte ${at}`)
    whole[at] ^= 1
  }
  for (const length of [0, 4, 11, 20, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length))
    assert.equal(readCode(file), undefined, `${length} bytes`)
  }
})

test('who finds another one writing leaves it to that one; a write that never ended is no hindrance', () => {
  const file = path.join(folder, 'one')
  writeFileSync(`${file}.tmp`, 'half')
  writeCode(file, { uses, code })
  assert.equal(readCode(file), undefined)
  const longAgo = Date.now() / 1000 - 120
  utimesSync(`${file}.tmp`, longAgo, longAgo)
  writeCode(file, { uses, code })
  assert.deepEqual(readCode(file)?.uses, uses)
})

test('code that nobody has written for a month is removed by the next one who writes, and no file of others', () => {
  const named = (hash: string): string =>
    codeFile(folder, { hash: hash.repeat(16), filename: '/a/core.cjs', isMain: true })
  const [old, young, file] = [named('0'), named('1'), named('2')]
  const foreign = path.join(folder, 'thesis.tex')
  const now = Date.now() / 1000
  for (const [name, days] of [
    [old, 31],
    [young, 29],
    [foreign, 60],
  ] as const) {
    writeFileSync(name, '')
    utimesSync(name, now - days * DAY_S, now - days * DAY_S)
  }
  writeCode(file, { uses, code })
  const left = [young, file, foreign].map((name) => path.basename(name))
  assert.deepEqual(readdirSync(folder).sort(), left.sort())
})

test('where nothing can be written, nothing is', () => {
  const file = path.join(folder, 'file')
  writeFileSync(file, '')
  writeCode(path.join(file, 'one'), { uses, code })
  assert.deepEqual(readdirSync(folder), ['file'])
})

test('it is kept in the nearest node_modules, or where the variable says', (t) => {
  const { [CODE_CACHE_VARIABLE]: asked } = process.env
  delete process.env[CODE_CACHE_VARIABLE]
  t.after(() => {
    if (asked === undefined) delete process.env[CODE_CACHE_VARIABLE]
    else process.env[CODE_CACHE_VARIABLE] = asked
  })
  const own = path.join(folder, 'app/node_modules/millrace/dist/host')
  mkdirSync(own, { recursive: true })
  assert.equal(codeCacheFolder(own), path.join(folder, 'app/node_modules/.cache/millrace'))
  assert.equal(
    codeCacheFolder(path.join(folder, 'app')),
    path.join(folder, 'app/node_modules/.cache/millrace'),
  )
  process.env[CODE_CACHE_VARIABLE] = path.join(folder, 'elsewhere')
  assert.equal(codeCacheFolder(own), path.join(folder, 'elsewhere'))
  for (const off of ['off', 'false', '0']) {
    process.env[CODE_CACHE_VARIABLE] = off
    assert.equal(codeCacheFolder(own), undefined)
  }
})
