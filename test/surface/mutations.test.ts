import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { mutatedText } from '../../verify/mutations/mutation.ts'
import { MUTATIONS } from '../../verify/mutations/mutations.ts'
import { ROOT } from '../support/places.ts'

const SRC = pathToFileURL(path.join(ROOT, 'src/'))

test('every mutation of `npm run verify` still finds what it changes, once, in the shipped files', () => {
  assert.ok(MUTATIONS.length >= 15)
  for (const mutation of MUTATIONS) {
    for (const { file } of mutation.edits) {
      const text = mutatedText(mutation, file, SRC)
      assert.ok(text.length > 0)
    }
  }
})

test('no two mutations have the same name', () => {
  assert.equal(new Set(MUTATIONS.map(({ name }) => name)).size, MUTATIONS.length)
})
