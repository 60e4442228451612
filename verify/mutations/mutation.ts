/** A small wrong change to shipped files. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Seen from what run.mjs joins. */
const SHIPPED = new URL('../src/', import.meta.url)

export interface Edit {
  /** Below src/. */
  file: string
  /** Stands exactly once in the file. */
  find: string
  replace: string
}

export interface Mutation {
  name: string
  edits: readonly Edit[]
  /** Worlds, of which one must fail. */
  worlds: readonly string[]
}

/**
 * The file's text with the changes that the mutation makes to it.
 * @throws if what is to be changed does not stand there exactly once: the mutation has to be brought up to date
 */
export function mutatedText({ name, edits }: Mutation, file: string, src = SHIPPED): string {
  let text = readFileSync(fileURLToPath(new URL(file, src)), 'utf8')
  for (const edit of edits) {
    if (edit.file !== file) continue
    const times = text.split(edit.find).length - 1
    if (times !== 1) throw new Error(`mutation "${name}": its text stands ${times} times in src/${file}`)
    text = text.replace(edit.find, () => edit.replace)
  }
  return text
}
