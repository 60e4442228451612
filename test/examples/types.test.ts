import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { prepareExample } from '../support/example.ts'
import { ROOT } from '../support/places.ts'

test('the examples compile, against the types of what they use', async () => {
  for (const folder of readdirSync(path.join(ROOT, 'examples'), { withFileTypes: true })) {
    if (folder.isDirectory() && folder.name !== 'node_modules') await prepareExample(folder.name)
  }
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', 'examples/tsconfig.json'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  assert.equal(stdout, '')
  assert.equal(status, 0)
})
