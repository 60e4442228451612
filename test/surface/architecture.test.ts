// ARCHITECTURE.md lists the files of src/, all of them and no others, in few words each.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/places.ts'

const TEXT = readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8')
const ROW = /^\| `(src\/\S+)` +\| (.+?) +\|$/gm

const listed = [...TEXT.matchAll(ROW)].map(([, file, words]) => ({ file, words }))
const present = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => path.posix.join('src', file.split(path.sep).join('/')))

test('ARCHITECTURE.md lists every file of src/, once, and no file that is not there', () => {
  assert.deepEqual(listed.map(({ file }) => file).toSorted(), present.toSorted())
})

test('it says of each file what it is for, in one line', () => {
  for (const { file, words } of listed)
    assert.ok(words.length > 3 && words.length <= 110, `${file}: ${words}`)
})

test('files that it names elsewhere exist too', () => {
  const short = [...TEXT.matchAll(/`((?:queue|host|run|plan|define|observe|cli)\/[\w/-]+\.ts)`/g)]
  assert.ok(short.length > 0)
  for (const [, file] of short) assert.ok(present.includes(`src/${file}`), `${file} is not there`)
})
