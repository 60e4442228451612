/** The flags that a stage's process gets from ours. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { processArguments } from '../../src/host/process/process-arguments.ts'

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'millrace-flags-')))
mkdirSync(path.join(folder, 'node_modules/hooks'), { recursive: true })
writeFileSync(path.join(folder, 'node_modules/hooks/index.js'), '')
writeFileSync(path.join(folder, 'hook.mjs'), '')
after(() => rmSync(folder, { recursive: true }))

function argumentsWith(flags: string[], cwd?: string): string[] {
  const [before, given] = [process.cwd(), process.execArgv]
  process.chdir(folder)
  process.execArgv = flags
  try {
    return processArguments(cwd === undefined ? {} : { cwd }, 'entry.js')
  } finally {
    process.chdir(before)
    process.execArgv = given
  }
}

test('those of our own program and debugger are left out', () => {
  const flags = ['--inspect=0', '--no-warnings', '-e', '1', '--import', './hook.mjs']
  assert.deepEqual(argumentsWith(flags), ['--no-warnings', '--import', './hook.mjs', 'entry.js'])
})

test('with a working directory of its own, modules and files are those that we found from ours', () => {
  const flags = [
    ...['--import', './hook.mjs', '--import=hooks', '-r', 'hooks', '--require=./hook.mjs', '--env-file=.env'],
    ...['--import', 'data:text/javascript,1', '--import', 'not-there', '--conditions=hooks'],
  ]
  const hook = path.join(folder, 'hook.mjs')
  const hooks = path.join(folder, 'node_modules/hooks/index.js')
  assert.deepEqual(argumentsWith(flags, '/'), [
    ...['--import', pathToFileURL(hook).href, `--import=${pathToFileURL(hooks).href}`],
    ...['-r', hooks, `--require=${hook}`, `--env-file=${path.join(folder, '.env')}`],
    ...['--import', 'data:text/javascript,1', '--import', 'not-there', '--conditions=hooks', 'entry.js'],
  ])
})
