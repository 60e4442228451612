/** A folder for the files of one test, gone when it is over. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

/** Gives the paths of files in it. */
export function makeFolder(t: TestContext): (name: string) => string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return (name) => path.join(folder, name)
}
